"""The cluster's API out of reach: what comes before it in the chain is changed all the same."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import balancers, bring_api_back, customs, take_api_away, variant

from components.loadbalancers.haproxy import BASE, ROUTES
from lab import runner
from lab.probes import edge, inside
from lab.probes.result import until
from lab.probes.world import World

pytestmark = pytest.mark.long

HELD_UP = 10.0
"""Seconds by which a dead cluster may delay what comes before it in the chain."""


def changes() -> dict[str, Any]:
    """Another timeout on the routers, on the balancers' API side, and on their routes."""
    key = "layered-cloud:routers"
    section = copy.deepcopy(runner.given()["config"][key])
    section["limits"] = {"established_timeout": 80_000}
    return {key: section, **balancers(timeouts={"http_request": 6, "hard_stop_after": 179})}


@pytest.fixture
def api_away(world: World) -> Iterator[None]:
    try:
        take_api_away(world)
        yield
    finally:
        bring_api_back(world)


@pytest.fixture(scope="module")
def took() -> dict[str, float]:
    """Seconds until an update had changed routers and balancers, with the API away and back."""
    return {}


def until_changed(world: World, started: float) -> float:
    """Seconds from the start of an update (of the epoch) until the last balancer had its routes,
    which come after everything else on routers and balancers."""
    ask = ["stat", "--format", "%.Y", BASE, ROUTES]
    written = [
        float(moment) for each in world.role("balancer") for moment in world.text(each, ask).split()
    ]
    return max(written) - started


@pytest.mark.usefixtures("api_away")
def test_routers_and_balancers_are_changed_without_the_api(
    world: World, took: dict[str, float]
) -> None:
    started = time.time()
    answer = variant("up", changes=changes())
    took["away"] = until_changed(world, started)
    assert answer["ok"], answer["error"]
    changed = {step["urn"].rsplit("::", 1)[-1] for step in customs(answer["steps"])}
    edges = {f"{each}-routers" for each in world.role("router")}
    for each in world.role("balancer"):
        edges |= {f"{each}-base", f"{each}-routes"}
    assert edges <= changed, changed
    assert not [step for step in answer["steps"] if step["op"] in ("delete", "replace")]
    inside.manifests_true(world)
    edge.through_the_chain(world, 5)


def test_nothing_was_forgotten_when_the_api_is_back(world: World, took: dict[str, float]) -> None:
    until(lambda: inside.cluster_ready(world), 180, "the cluster is not ready")
    started = time.time()
    answer = variant("up")
    took["back"] = until_changed(world, started)
    assert answer["ok"], answer["error"]
    assert not [step for step in answer["steps"] if step["op"] in ("create", "delete", "replace")]
    again = variant("up")
    assert again["ok"], again["error"]
    assert again["changed"] == 0, again["steps"]
    edge.through_the_chain(world, 5)


def test_what_comes_first_is_not_held_up_by_a_dead_cluster(took: dict[str, float]) -> None:
    """The way back changed the same files, with the API there."""
    print(f"changed after {took['away']:.1f} s with the API away, {took['back']:.1f} s with it")
    assert took["away"] - took["back"] <= HELD_UP, took

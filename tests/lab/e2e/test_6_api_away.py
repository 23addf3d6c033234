"""The cluster's API out of reach: what comes before it in the chain is changed all the same."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import balancers, bring_api_back, customs, take_api_away, variant

from lab import runner
from lab.probes import edge, inside
from lab.probes.result import until
from lab.probes.world import World

pytestmark = pytest.mark.long

HELD_UP = 10.0
"""Seconds by which a dead cluster may make an update longer (docs/adr/0013)."""


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
    """Seconds that an update of the routers and balancers took, with the API away and back."""
    return {}


@pytest.mark.usefixtures("api_away")
def test_routers_and_balancers_are_changed_without_the_api(
    world: World, took: dict[str, float]
) -> None:
    started = time.monotonic()
    answer = variant("up", changes=changes())
    took["away"] = time.monotonic() - started
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
    started = time.monotonic()
    answer = variant("up")
    took["back"] = time.monotonic() - started
    assert answer["ok"], answer["error"]
    assert not [step for step in answer["steps"] if step["op"] in ("create", "delete", "replace")]
    again = variant("up")
    assert again["ok"], again["error"]
    assert again["changed"] == 0, again["steps"]
    edge.through_the_chain(world, 5)


def test_an_update_is_not_held_up_by_a_dead_cluster(took: dict[str, float]) -> None:
    """The way back changed the same files, with the API there."""
    print(f"the same update, the API away: {took['away']:.0f} s, there: {took['back']:.0f} s")
    assert took["away"] - took["back"] <= HELD_UP, took

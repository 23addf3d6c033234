"""The cluster's API out of reach: what comes before it in the chain is changed all the same."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import balancers, customs, variant

from lab import runner
from lab.probes import edge, inside
from lab.probes.result import until
from lab.probes.world import World

pytestmark = pytest.mark.long

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
ASIDE = "/etc/kubernetes/kube-apiserver.yaml"


def changes() -> dict[str, Any]:
    """Another timeout on the routers, on the balancers' API side, and on their routes."""
    key = "layered-cloud:routers"
    section = copy.deepcopy(runner.given()["config"][key])
    section["limits"] = {"established_timeout": 80_000}
    return {key: section, **balancers(timeouts={"http_request": 6, "hard_stop_after": 179})}


def answers(world: World) -> bool:
    try:
        world.kubectl("get", "--raw", "/readyz", seconds=5)
    except Exception:  # whatever says no says that it is away
        return False
    return True


@pytest.fixture
def api_away(world: World) -> Iterator[None]:
    """No control plane serves the API (its machine and the service go on)."""
    planes = world.role("control_plane")
    for each in planes:
        world.text(each, ["mv", MANIFEST, ASIDE])
    try:
        until(lambda: not answers(world), 60, "the API does not go away")
        yield
    finally:
        for each in planes:
            world.text(each, ["sh", "-c", f"[ ! -e {ASIDE} ] || mv {ASIDE} {MANIFEST}"])
        until(lambda: answers(world), 180, "the API does not come back")


@pytest.mark.usefixtures("api_away")
def test_routers_and_balancers_are_changed_without_the_api(world: World) -> None:
    started = time.monotonic()
    answer = variant("up", changes=changes())
    print(f"an update without the API: {time.monotonic() - started:.0f} s")
    assert answer["ok"], answer["error"]
    changed = {step["urn"].rsplit("::", 1)[-1] for step in customs(answer["steps"])}
    edges = {f"{each}-routers" for each in world.role("router")}
    for each in world.role("balancer"):
        edges |= {f"{each}-base", f"{each}-routes"}
    assert edges <= changed, changed
    assert not [step for step in answer["steps"] if step["op"] in ("delete", "replace")]
    inside.manifests_true(world)
    edge.through_the_chain(world, 5)


def test_nothing_was_forgotten_when_the_api_is_back(world: World) -> None:
    until(lambda: inside.cluster_ready(world), 180, "the cluster is not ready")
    answer = variant("up")
    assert answer["ok"], answer["error"]
    assert not [step for step in answer["steps"] if step["op"] in ("create", "delete", "replace")]
    again = variant("up")
    assert again["ok"], again["error"]
    assert again["changed"] == 0, again["steps"]
    edge.through_the_chain(world, 5)

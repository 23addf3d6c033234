"""A node in maintenance, and back, under a stream of requests: drained as its budgets allow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import bring_api_back, cluster, customs, take_api_away, variant

from lab.probes import edge, inside
from lab.probes.drills.stream import felt, flowing, public
from lab.probes.result import until
from lab.probes.world import World

pytestmark = pytest.mark.long

NODE = "worker-1"
MAINTAINED: dict[str, Any] = {"layered-cloud:maintenance": {"machines": [NODE]}}
HELD = {"app": "held"}


def named() -> dict[str, Any]:
    """The node is in maintenance, and pods have so many seconds to leave."""
    return {**MAINTAINED, **cluster(drain_seconds=20)}


@pytest.fixture
def held(world: World) -> Iterator[None]:
    """One pod on the node, which its budget keeps there; it may go elsewhere."""
    demo = world.stack.platform.demo
    assert demo is not None
    there = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    prefers = {"weight": 100, "preference": {"matchExpressions": [there]}}
    spec = {
        "terminationGracePeriodSeconds": 1,
        "affinity": {
            "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [prefers]}
        },
        "containers": [{"name": "held", "image": demo.image}],
    }
    things = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "held", "namespace": "default"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": HELD},
                "template": {"metadata": {"labels": HELD}, "spec": spec},
            },
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "held", "namespace": "default"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": HELD}},
        },
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": things})
    admin = "--kubeconfig=/etc/kubernetes/admin.conf"
    world.text(world.control_plane, ["kubectl", admin, "apply", "--filename=-"], stdin=listed)
    try:
        until(lambda: holders(world) == [NODE], 120, f"the pod does not run on {NODE}")
        yield
    finally:
        for each in ("poddisruptionbudget", "deployment"):
            world.kubectl("delete", each, "held", "--ignore-not-found", "--wait=false")
        variant("up")


def holders(world: World) -> list[str]:
    """The nodes on which the pod runs and is ready."""
    pods = json.loads(world.kubectl("get", "pods", "--selector=app=held", "--output=json"))
    return [
        pod["spec"]["nodeName"]
        for pod in pods["items"]
        if "deletionTimestamp" not in pod["metadata"]
        and any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in pod["status"].get("conditions") or ()
        )
    ]


def leaving(world: World) -> list[str]:
    """Pods on the node that a drain is about."""
    chosen = f"--field-selector=spec.nodeName={NODE}"
    pods = json.loads(world.kubectl("get", "pods", "--all-namespaces", chosen, "--output=json"))
    return [
        pod["metadata"]["name"]
        for pod in pods["items"]
        if {each["kind"] for each in pod["metadata"].get("ownerReferences") or ()}
        & {"ReplicaSet", "StatefulSet", "Job"}
    ]


def standing(world: World) -> tuple[bool, str | None]:
    """Whether the node is cordoned, and our mark."""
    node = json.loads(world.kubectl("get", "node", NODE, "--output=json"))
    marks = node["metadata"].get("annotations") or {}
    return bool(node["spec"].get("unschedulable")), marks.get("layered-cloud/maintenance")


def changed(answer: dict[str, Any]) -> set[str]:
    assert answer["ok"], answer["error"]
    return {step["urn"].rsplit("::", 1)[-1] for step in customs(answer["steps"])}


@pytest.mark.usefixtures("held")
def test_a_node_is_emptied_as_budgets_allow_and_no_request_is_lost(world: World) -> None:
    routes = {f"{each}-routes" for each in world.role("balancer")}
    with flowing(world, public(world)) as flow:
        begin = time.monotonic()
        refused = variant("up", changes=named())
        assert not refused["ok"]
        for words in (
            f"{NODE} could not be drained within cluster.drain_seconds (20 s):",
            "its PodDisruptionBudget held allows no disruption",
            f"{NODE} stays cordoned",
        ):
            assert words in refused["error"], refused["error"]
        assert standing(world) == (True, "cordoned")
        assert holders(world) == [NODE], "its budget was passed over"

        world.kubectl("delete", "poddisruptionbudget", "held")
        assert f"{NODE}-maintenance-drain" in changed(variant("up", changes=named()))
        assert leaving(world) == []
        until(lambda: holders(world) not in ([], [NODE]), 120, "the pod runs nowhere")
        assert changed(variant("up", changes=named())) == set()
        report = inside.cluster_ready(world)

        back = changed(variant("up"))
        assert {f"{NODE}-maintenance", f"{NODE}-maintenance-drain", *routes} <= back
        assert standing(world) == (False, None)
        end = time.monotonic()
    seen = felt(flow.rows, begin, end)
    print(seen, report)

    assert seen.lost == 0, str(seen)
    assert "manifests" in inside.manifests_true(world)
    edge.through_the_chain(world, 5)


def test_a_node_that_a_person_cordoned_stays_so(world: World) -> None:
    world.kubectl("cordon", NODE)
    try:
        changed(variant("up", changes=MAINTAINED))
        assert standing(world) == (True, "found")
        changed(variant("up"))
        assert standing(world) == (True, None)
    finally:
        world.kubectl("uncordon", NODE)


def test_without_the_api_nothing_leaves_and_the_same_again_converges(world: World) -> None:
    try:
        take_api_away(world)
        refused = variant("up", changes=MAINTAINED)
    finally:
        bring_api_back(world)
    assert not refused["ok"]
    assert "the API does not answer within 120 s" in refused["error"], refused["error"]
    until(lambda: bool(inside.cluster_ready(world)), 180, "the cluster is not ready")
    assert standing(world) == (False, None)
    edge.through_the_chain(world, 5)

    assert f"{NODE}-maintenance-drain" in changed(variant("up", changes=MAINTAINED))
    assert standing(world) == (True, "cordoned")
    changed(variant("up"))
    assert standing(world) == (False, None)
    assert changed(variant("up")) == set()

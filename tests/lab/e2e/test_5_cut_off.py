"""An update cut off by a loss of power, at the moments that hurt: the next one converges.

The Helm release that is cut is Traefik's. What is judged besides: that pods which ran stay.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
from typing import Any

import pytest
from harness import cut, engine, variant, variant_process

from lab import runner
from lab.hypervisor.hypervisor import Hypervisor
from lab.probes import edge, inside
from lab.probes.result import until
from lab.probes.world import World

pytestmark = pytest.mark.long

NAME = NAMESPACE = "traefik"
RELEASE = f"Release::{NAME}"


def statuses(world: World) -> list[str]:
    """The status of every revision that Helm has a record of, oldest first."""
    words = ["get", "secrets", "--namespace", NAMESPACE, "--selector", f"owner=helm,name={NAME}"]
    columns = "--output=custom-columns=:metadata.labels.version,:metadata.labels.status"
    rows = [row.split() for row in world.kubectl(*words, "--no-headers", columns).splitlines()]
    return [status for _, status in sorted((int(version), status) for version, status in rows)]


def pods(world: World) -> set[str]:
    """The ids of Traefik's pods, without those that are leaving."""
    words = ["get", "pods", "--namespace", NAMESPACE, "--output=json"]
    found = [each["metadata"] for each in json.loads(world.kubectl(*words))["items"]]
    return {each["uid"] for each in found if "deletionTimestamp" not in each}


def ingress(annotation: str) -> dict[str, Any]:
    """The platform with other annotations on Traefik's pods: an upgrade that replaces them."""
    key = "layered-cloud:platform"
    section = copy.deepcopy(runner.given()["config"][key])
    values = {"deployment": {"podAnnotations": {"lab.test/cut": annotation}}}
    section["ingress"]["chart"]["values"] = values
    return {key: section}


def begun(world: World, status: str, **spec: Any) -> subprocess.Popen[str]:
    """A run that has come to where Helm's newest record has that status."""
    child = variant_process("up", **spec)

    def there() -> bool:
        if child.poll() is not None:
            pytest.fail(f"the run ended before it was {status}: {child.communicate()[0][-3000:]}")
        return bool(seen := statuses(world)) and seen[-1] == status

    until(there, 120, f"the release was never {status}")
    return child


def settled(world: World, changes: dict[str, Any] | None = None) -> None:
    """The next run converges, and the one after it changes nothing."""
    answer = variant("up", changes=changes)
    assert answer["ok"], answer["error"]
    assert statuses(world)[-1] == "deployed"
    again = variant("up", changes=changes)
    assert again["ok"], again["error"]
    assert again["changed"] == 0, again["steps"]
    edge.through_the_chain(world, 5)


def forget(world: World) -> None:
    """Helm knows nothing of the release, and its pods are to be made again: an install follows."""
    selector = f"owner=helm,name={NAME}"
    world.kubectl("delete", "secrets", "--namespace", NAMESPACE, "--selector", selector)
    world.kubectl("delete", "daemonset", NAME, "--namespace", NAMESPACE, "--wait=true")


def test_cut_while_helm_installs(world: World) -> None:
    forget(world)
    cut(begun(world, "pending-install", replace=[RELEASE]))
    settled(world)


def test_cut_while_helm_upgrades(world: World) -> None:
    changes = ingress("upgrade")
    cut(begun(world, "pending-upgrade", changes=changes))
    settled(world, changes)


@pytest.mark.parametrize("operation", ["install", "upgrade"])
def test_cut_when_helm_was_done_and_the_state_was_not_written(operation: str, world: World) -> None:
    spec: dict[str, Any] = {"changes": ingress("late")}
    if operation == "install":
        forget(world)
        spec = {"replace": [RELEASE]}
    child = begun(world, f"pending-{operation}", **spec)
    stopped = engine(child)
    assert stopped is not None
    os.kill(stopped, signal.SIGSTOP)
    until(lambda: statuses(world)[-1] == "deployed", 90, "Helm was never done")
    running = pods(world)
    cut(child)
    settled(world, spec.get("changes"))
    assert pods(world) == running, "pods that ran were made again"


def test_the_old_values_come_back(world: World) -> None:
    settled(world)


def test_cut_when_a_machine_was_made_and_the_state_was_not_written(world: World) -> None:
    machine = world.role("worker")[-1]
    before = {each.pid for each in Hypervisor().machines()}

    def booting() -> bool:
        return any(
            each.name == machine and each.running and each.pid not in before
            for each in Hypervisor().machines()
        )

    child = variant_process("up", replace=[f"VmLegacy::{machine}"])
    until(booting, 120, f"{machine} is not made anew")
    cut(child)
    answer = variant("up")
    assert answer["ok"], answer["error"]
    inside.manifests_true(world)
    until(lambda: inside.cluster_ready(world), 120, "the cluster is not ready")
    again = variant("up")
    assert again["changed"] == 0, again["steps"]

"""A machine that moves to another Proxmox host under requests, and one that may not shrink."""

from __future__ import annotations

from typing import Any

from harness import cluster, customs, variant

from lab import runner
from lab.hypervisor.hypervisor import Hypervisor
from lab.probes import edge, inside
from lab.probes.drills import measured
from lab.probes.world import World


def with_worker(name: str, **changes: Any) -> dict[str, Any]:
    """The lab's cluster with another value of one worker."""
    workers = runner.given()["config"]["layered-cloud:cluster"]["workers"]
    return cluster(workers=[{**one, **(changes if one["name"] == name else {})} for one in workers])


def stands(name: str) -> tuple[str, bool]:
    """A machine's host, and whether it runs."""
    (found,) = (each for each in Hypervisor().machines() if each.name == name)
    return found.host, found.running


def begun(world: World, name: str) -> str:
    """When a machine's first process was started."""
    return world.text(
        name, ["systemctl", "show", "--property=UserspaceTimestampMonotonic", "--value"]
    ).strip()


def test_a_worker_moves_to_another_host_as_it_runs(world: World) -> None:
    name = world.role("worker")[-1]
    home, started = world.machines[name].host, begun(world, name)
    away = next(each.name for each in world.stack.proxmox.hosts if each.name != home)
    moved = with_worker(name, host=away)
    planned = variant("preview", changes=moved)
    assert planned["ok"], planned["error"]
    assert {step["op"] for step in customs(planned["steps"]) if "VmLegacy" in step["type"]} == {
        "update"
    }

    answers: list[dict[str, Any]] = []
    outage, said = measured(world, 20, lambda: answers.append(variant("up", changes=moved)))
    (answer,) = answers
    assert answer["ok"], answer["error"]
    print(f"{name} from {home} to {away}: {said}")
    assert outage < 1.0, said
    assert stands(name) == (away, True)
    assert begun(world, name) == started
    assert variant("up", changes=moved)["changed"] == 0


def test_it_comes_home(world: World) -> None:
    name = world.role("worker")[-1]
    answer = variant("up")
    assert answer["ok"], answer["error"]
    assert stands(name) == (world.machines[name].host, True)
    assert variant("up")["changed"] == 0
    inside.manifests_true(world)
    edge.through_the_chain(world, 5)


def test_a_disk_that_would_shrink_is_refused_in_the_plan(world: World) -> None:
    name = world.role("worker")[-1]
    refused = variant("preview", changes=with_worker(name, disk=19))
    assert not refused["ok"]
    assert "a disk only grows" in refused["error"]

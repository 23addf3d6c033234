"""What a machine that runs may not become is refused in the plan, by its key."""

from __future__ import annotations

from harness import cluster, variant

from lab import runner
from lab.probes.world import World


def test_a_disk_that_would_shrink_is_refused_in_the_plan(world: World) -> None:
    name = world.role("worker")[-1]
    workers = runner.given()["config"]["layered-cloud:cluster"]["workers"]
    smaller = [{**one, "disk": one["disk"] - (one["name"] == name)} for one in workers]

    refused = variant("preview", changes=cluster(workers=smaller))

    assert not refused["ok"]
    assert f"cluster.workers: {name}: disk is " in refused["error"]
    assert "a disk only grows" in refused["error"]

"""A balancer in maintenance, and back, under a stream of requests."""

from __future__ import annotations

import time
from typing import Any

import pytest
from harness import customs, variant

from lab.probes import edge, inside
from lab.probes.drills.stream import felt, flowing, public
from lab.probes.result import until
from lab.probes.world import World

pytestmark = pytest.mark.long


def test_a_balancer_goes_into_maintenance_and_back_and_no_request_is_lost(world: World) -> None:
    group = world.stack.balancers.vips[0]
    vips = [str(each) for each in (*group.lan, *group.management)]
    (peer,) = (name for name in world.role("balancer") if name != group.owner)
    answers: list[dict[str, Any]] = []

    def held_by(name: str) -> bool:
        seen = edge.owners(world)
        return all(seen[vip] == [name] for vip in vips)

    with flowing(world, public(world)) as flow:
        begin = time.monotonic()
        named = {"layered-cloud:maintenance": {"machines": [group.owner]}}
        answers.append(variant("up", changes=named))
        until(lambda: held_by(peer), 5, f"{peer} does not hold the addresses")
        answers.append(variant("up", changes=named))
        assert held_by(peer)
        answers.append(variant("up"))
        until(lambda: held_by(group.owner), 60, f"{group.owner} does not have them back")
        end = time.monotonic()
    seen = felt(flow.rows, begin, end)
    print(seen)

    for answer in answers:
        assert answer["ok"], answer["error"]
    changed = [
        sorted(step["urn"].rsplit("::", 1)[-1] for step in customs(answer["steps"]))
        for answer in answers
    ]
    assert changed == [[f"{group.owner}-base"], [], [f"{group.owner}-base"]]
    assert seen.lost == 0, str(seen)
    assert "manifests" in inside.manifests_true(world)
    edge.through_the_chain(world, 5)

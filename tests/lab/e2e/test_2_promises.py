"""Every promise of the running lab, probed: what `python -m lab check` runs, one test each."""

from __future__ import annotations

import json

import pytest
from harness import lab

from lab.probes.catalogue import PROBES
from lab.probes.world import World


@pytest.mark.parametrize("name", PROBES)
def test_the_promise_holds(name: str, world: World) -> None:
    said = PROBES[name](world)
    print(f"{name}: {said}")


def test_check_prints_what_a_program_can_read(world: World) -> None:
    done = lab("check", "--json", "--only", "one owner")
    rows = json.loads(done.stdout)
    assert [set(row) for row in rows] == [{"name", "ok", "seconds", "detail"}]
    assert rows[0]["ok"], rows[0]["detail"]
    assert done.returncode == 0


def test_check_fails_when_a_promise_is_broken(world: World) -> None:
    balancer = world.stack.balancers.vips[0].owner
    world.text(balancer, ["sh", "-c", "echo drift >>/etc/haproxy/layered/10-base.cfg"])
    try:
        done = lab("check", "--only", "manifests true")
        assert done.returncode == 1
        assert "/etc/haproxy/layered/10-base.cfg" in done.stdout
    finally:
        world.text(balancer, ["sed", "-i", "$d", "/etc/haproxy/layered/10-base.cfg"])
    assert lab("check", "--only", "manifests true").returncode == 0


def test_status_says_that_every_layer_is_well(world: World) -> None:
    rows = json.loads(lab("status", "--json").stdout)
    assert [row["name"] for row in rows if not row["ok"]] == []

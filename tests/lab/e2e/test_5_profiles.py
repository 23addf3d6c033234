"""Other datacentres: every profile comes up from nothing and keeps every promise."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from harness import assert_one_change_a_balancer, lab, leftovers

from lab import datacentre, stack
from lab.probes.world import World

PROFILES = sorted(each.stem for each in stack.PROFILES.glob("*.yaml"))


@pytest.fixture(scope="module", params=PROFILES)
def other(request: pytest.FixtureRequest, able: None) -> Iterator[World]:
    """The running lab of a profile, from nothing; nothing is left of it."""
    lab("down", "--quiet")
    try:
        done = lab("up", "--profile", request.param, seconds=3600)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
        yield datacentre.world()
    finally:
        down = lab("down")
    assert down.returncode == 0, down.stdout[-3000:] + down.stderr[-2000:]
    assert leftovers() == []


def test_a_profile_keeps_every_promise(other: World) -> None:
    rows = json.loads(lab("check", "--json").stdout)
    for row in rows:
        print(f"{row['name']}: {row['detail']}")
    assert [f"{row['name']}: {row['detail']}" for row in rows if not row["ok"]] == []


def test_one_changed_timeout_plans_one_changed_resource_a_balancer(other: World) -> None:
    assert_one_change_a_balancer(other)

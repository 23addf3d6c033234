"""Other datacentres: every profile comes up from nothing and keeps every promise.

`make test-all` runs them, one profile at a time; `make test` leaves them out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from harness import assert_one_change_a_balancer, lab, leftovers

from lab import datacentre, stack
from lab.probes.world import World
from lab.trials import PROFILE

ONE = os.environ.get(PROFILE)
PROFILES = [name for name in stack.profiles() if ONE in (None, "", name)]
pytestmark = pytest.mark.profile


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


def test_drills_are_felt_no_longer_than_promised(other: World) -> None:
    rows = json.loads(lab("drill", "--json").stdout)
    for row in rows:
        print(f"{row['name']}: {row['detail']}")
    assert [f"{row['name']}: {row['detail']}" for row in rows if not row["ok"]] == []


def test_one_changed_timeout_plans_one_changed_resource_a_balancer(other: World) -> None:
    assert_one_change_a_balancer(other)

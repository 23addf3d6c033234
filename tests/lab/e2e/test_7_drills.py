"""Every failure once, measured: what is promised is kept, and the service always returns."""

from __future__ import annotations

import pytest
from harness import variant

from lab.probes.drills import DRILLS, run
from lab.probes.world import World


@pytest.mark.parametrize("name", DRILLS)
def test_a_failure_is_felt_no_longer_than_promised(name: str, world: World) -> None:
    (row,) = run.drills(world, [DRILLS[name]])
    print(f"{row.name}: {row.detail}")
    assert row.ok, row.detail


def test_after_all_of_them_an_up_changes_nothing(world: World) -> None:
    again = variant("up")
    assert again["ok"], again["error"]
    assert again["changed"] == 0, again["steps"]

"""Which copies stay, here and at the store, with a wrong clock, no store, or an upload cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.cluster import backup
from tests.components.host.backup_world import STORE, World, backed_up

pytestmark = pytest.mark.root
HOURS = 3600


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with backed_up(tmp_path_factory.mktemp("retention")) as made:
        yield made


def taken(world: World) -> str:
    """Takes and ships one; its name."""
    before = set(world.shipped())
    assert world.runs() == "success", world.words()
    (name,) = set(world.shipped()) - before
    return name


@pytest.fixture
def clock(world: World) -> Iterator[Path]:
    """What the unit takes for date(1), where it is there."""
    path = world.machine.root / "usr/local/bin/date"
    yield path
    path.unlink(missing_ok=True)


def test_a_clock_that_was_wrong_costs_no_good_copy(world: World, clock: Path) -> None:
    def off_by(words: str) -> None:
        clock.write_text(f"#!/bin/sh\nexec /bin/date --date '{words}' \"$@\"\n")
        clock.chmod(0o755)

    off_by("+70 years")
    ahead = [taken(world) for _ in range(3)]
    clock.unlink()
    right = [taken(world) for _ in range(3)]
    assert max(right) < min(ahead)
    assert world.shipped() == right
    assert world.copies() == right[-2:]
    # One that starts without its battery: what it takes is the newest all the same.
    off_by("-20 years")
    behind = taken(world)
    assert behind < right[0]
    assert world.shipped() == [behind, *right[-2:]]
    assert world.copies() == [behind, right[-1]]


def test_copies_do_not_pile_up_while_the_store_is_away(world: World) -> None:
    world.store_goes()
    seen: list[str] = []
    for _ in range(4):
        # Too old to be shipped later, so that each run takes another.
        world.made_older(4 * HOURS)
        before = set(world.copies())
        assert world.runs() != "success"
        (new,) = set(world.copies()) - before
        seen.append(new)
    assert world.copies() == seen[-2:]

    # One of the future, by a clock that has been set right since, is not young for years.
    world.machine.sh(f"touch --date '+2 years' {backup.STATE}/copies/{seen[-1]}")
    world.store_comes()
    assert taken(world) not in seen


def test_what_an_upload_that_was_cut_off_left_at_the_store_goes(world: World) -> None:
    ours = "lab.cp-1.20260101T000000Z.backup.part"
    others = ["lab.cp-11.20260101T000000Z.backup.part", "lab.cp-1.notes.part"]
    world.machine.sh(f"cd {STORE} && touch {ours} {' '.join(others)}")
    before = len([each for each in world.shipped() if each.endswith(".backup")])
    taken(world)
    left = world.shipped()
    assert ours not in left
    assert set(others) <= set(left)
    assert len([each for each in left if each.endswith(".backup")]) == min(before + 1, 3)

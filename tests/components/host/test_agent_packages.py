"""dpkg's repair, the clock and a full disk, as the agent decides on what the programs say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.host.agent import clock, dpkg, errors, packages
from components.host.agent.run import Outcome, run
from components.host.part import Package
from tests.components.host.fake_system import FakeSystem
from tests.components.host.test_agent_push import World, world

__all__ = ["world"]

HAPROXY = (Package(name="haproxy"),)
REPAIR = "dpkg --force-confdef --force-confold --configure -a"


@pytest.fixture
def system(world: World) -> FakeSystem:
    world.system.offered = {"haproxy": "1", "other": "1"}
    return world.system


def test_what_dpkg_left_is_finished_before_apt_is_asked_and_told(
    world: World, system: FakeSystem
) -> None:
    system.packages = {"other": "1", "third": "1"}
    system.states = {"other": "iF", "third": "hU"}
    said = world.push(packages=HAPROXY)
    assert said.startswith(
        "dpkg had been interrupted (other half configured, third unpacked only): "
        "ran 'dpkg --configure -a'; "
    )
    assert system.did(REPAIR) == [REPAIR]
    order = [call.split()[0] for call in system.calls]
    assert order.index("dpkg") < order.index("apt-get")
    assert "--no-remove" in next(call for call in system.calls if "--fix-broken" in call)
    system.calls.clear()
    system.offered["haproxy"] = "2"
    assert "dpkg" not in world.push(packages=(Package(name="haproxy", version="2"),))
    assert not system.did("dpkg "), "a whole dpkg is left alone"


def test_a_database_dpkg_did_not_write_out_is_a_reason_too(
    world: World, system: FakeSystem
) -> None:
    dpkg.JOURNAL.mkdir()
    (dpkg.JOURNAL / "tmp.i").touch()
    world.push(packages=HAPROXY)
    assert not system.did(REPAIR)
    (dpkg.JOURNAL / "0000").touch()
    system.offered["haproxy"] = "2"
    said = world.push(packages=(Package(name="haproxy", version="2"),))
    assert said.startswith("dpkg had been interrupted (its journal): ")


def test_what_was_cut_while_it_was_unpacked_is_installed_anew(
    world: World, system: FakeSystem
) -> None:
    system.packages = {"other": "1"}
    system.states = {"other": "iHR"}
    said = world.push(packages=HAPROXY)
    assert "could not finish it (dpkg: error processing it)" in said
    assert next(call for call in system.calls if "--reinstall" in call).endswith(" other")
    assert system.states == {}


def test_what_cannot_be_repaired_is_told_after_apts_words(world: World, system: FakeSystem) -> None:
    system.packages = {"other": "1"}
    system.states = {"other": "iHR"}
    system.fails["apt-get"] = f"E: The package other {packages.NO_ARCHIVE} for it.\n"
    failure = world.refused(packages=HAPROXY)
    assert failure.words.startswith("E: The package other needs to be reinstalled")
    lines = failure.after.splitlines()
    assert lines[0].startswith("No repository has that package: install it from its file")
    assert lines[1].startswith("dpkg had been interrupted (other half installed): ran")
    assert lines[2] == "Nothing was changed on the machine."


def test_a_killed_installation_is_finished_with_its_daemons_still_held_back(
    world: World, system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    del world
    dpkg.POLICY.write_text(f"#!/bin/sh\n{dpkg.MARK}\nexit 101\n")
    system.packages = {"haproxy": "1"}
    system.states = {"haproxy": "iF"}
    held = []

    def look(argv: list[str], *more: object) -> Outcome:
        held.append(dpkg.POLICY.exists())
        return system.run(argv, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(dpkg, "run", look)
    assert dpkg.clear_leftovers() == [
        "dpkg had been interrupted (haproxy half configured): ran 'dpkg --configure -a'"
    ]
    assert held == [True, True]
    assert not dpkg.POLICY.exists()


EARLY = "E: Release file for http://192.0.2.4 is not valid yet (invalid for another 1h 2min).\n"
EXPIRED = (
    "E: Release file for http://192.0.2.4 is expired (invalid since 1h 2min). "
    "Updates for this repository will not be applied.\n"
)
"""What apt says where the clock is behind, and where it is ahead."""
UNSURE = "Leap status     : Not synchronised\n"


@pytest.mark.parametrize("said", [EARLY, EXPIRED], ids=["behind", "ahead"])
@pytest.mark.parametrize(
    ("tracking", "keeper", "way"),
    [
        (Outcome(0, UNSURE), "chrony is not synchronised, see 'chronyc sources'", "let it reach"),
        (Outcome(0, "Leap status     : Normal\n"), "chrony is synchronised", "chronyc makestep"),
        (Outcome(1, "506 Cannot talk to daemon\n"), "no chrony answers", "date --utc --set="),
    ],
)
def test_a_date_that_is_refused_tells_the_machines_time_its_keeper_and_the_remedy(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    *,
    said: str,
    tracking: Outcome,
    keeper: str,
    way: str,
) -> None:
    system = world.system
    monkeypatch.setattr(clock.time, "gmtime", lambda: (2026, 1, 2, 3, 4, 5, 0, 0, 0))
    system.fails = {"apt-get": said, "chronyc -n waitsync": ""}
    answered = system.run

    def chrony(argv: list[str], *more: object) -> Outcome:
        return tracking if "tracking" in argv else answered(argv, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(clock, "run", chrony)
    failure = world.refused(packages=HAPROXY)
    assert failure.words == said.strip()
    assert f"This machine's clock says 2026-01-02T03:04:05Z ({keeper})." in failure.after
    assert way in failure.after
    assert len(system.did("apt-get")) == 1, "no attempt more: time alone does not mend it"


def test_a_clock_that_chrony_is_about_to_set_is_waited_for(
    world: World, system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.fails = {"apt-get": EARLY}

    def chrony(argv: list[str], *more: object) -> Outcome:
        del more
        if "waitsync" in argv:
            system.fails.clear()
        return Outcome(0, UNSURE)

    monkeypatch.setattr(clock, "run", chrony)
    assert "started haproxy.service" in world.push(packages=HAPROXY)


def test_a_full_disk_under_dpkg_is_named_with_its_room(
    world: World, system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "full", lambda: ["/usr (0 of 900 MiB free)"])
    said = "dpkg: error processing archive x.deb\n failed to write (No space left on device)\n"
    system.fails = {"apt-get": f"Unpacking x\n{said}E: Sub-process returned an error code (1)\n"}
    failure = world.refused(packages=HAPROXY)
    assert failure.words.splitlines()[1] == " failed to write (No space left on device)"
    assert "Full: /usr (0 of 900 MiB free). Make room there;" in failure.after


def test_rooms_are_named_by_their_mount_points() -> None:
    assert errors.mount_of("/proc/self/no/such") == "/proc"
    assert errors.mount_of("/no/such/file") == "/"
    assert "MiB free" in errors.room("/")
    assert errors.room("/no/such") == "its size cannot be read"


def test_what_a_late_program_started_ends_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "went-on"
    late = run(["sh", "-c", f"(sleep 1; touch {mark}) & echo $!; wait"], 0.3)
    assert late.status == 124
    child = int(late.output.split()[0])
    with pytest.raises(ProcessLookupError):
        for _ in range(1000):
            os.kill(child, 0)
            if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
                raise ProcessLookupError
    assert not mark.exists()

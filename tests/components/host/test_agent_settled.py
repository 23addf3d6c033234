"""Packages whose version is somebody else's to change, on a machine that answers in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.host.agent import actions, dpkg, drift, requests
from components.host.agent.run import Outcome
from components.host.part import Package, Service
from tests.components.host.fake_system import FakeSystem, Unit
from tests.components.host.test_agent_push import World, world

__all__ = ["world"]

RUNTIME = Service(name="runtime", on_change="restart", watches=("/nowhere",))


@pytest.fixture
def member(world: World) -> Path:
    """The file that says whose the versions are; not there yet."""
    world.system.offered = {"runtime": "1", "tool": "1"}
    return world.etc / "member"


def wanted(member: Path, version: str) -> dict[str, object]:
    return {
        "packages": (
            Package(name="runtime", version=version, hold=True, settled=str(member)),
            Package(name="tool"),
        ),
        "services": (RUNTIME,),
    }


def test_until_it_is_settled_a_package_is_brought_to_its_version(
    world: World, member: Path
) -> None:
    world.push(**wanted(member, "1"))
    world.system.offered["runtime"] = "2"
    assert "restarted runtime.service" in world.push(**wanted(member, "2"))
    assert world.system.packages["runtime"] == "2"


def test_what_is_settled_is_neither_installed_nor_restarted_by_a_push(
    world: World, member: Path
) -> None:
    world.push(**wanted(member, "1"))
    member.write_text("")
    world.system.offered["runtime"] = "2"
    world.system.calls.clear()
    assert world.push(**wanted(member, "2")) == "nothing on the machine had to change"
    assert world.push(**wanted(member, "2")) == "unchanged"
    assert world.system.packages["runtime"] == "1"
    assert world.system.held == {"runtime"}
    assert not world.system.did("apt-get")
    assert not world.system.did("systemctl restart")


def test_another_package_is_installed_beside_it(world: World, member: Path) -> None:
    world.push(**wanted(member, "1"))
    member.write_text("")
    world.system.offered |= {"runtime": "2", "more": "1"}
    given = wanted(member, "2")
    given["packages"] = (*given["packages"], Package(name="more"))  # type: ignore[misc]
    world.system.calls.clear()
    world.push(**given)
    assert world.system.packages == {"runtime": "1", "tool": "1", "more": "1"}
    assert not [call for call in world.system.did("apt-get") if "runtime" in call]
    assert not world.system.did("systemctl restart")


def test_one_that_lacks_is_installed_all_the_same(world: World, member: Path) -> None:
    member.parent.mkdir(parents=True, exist_ok=True)
    member.write_text("")
    world.push(**wanted(member, "1"))
    assert world.system.packages == {"runtime": "1", "tool": "1"}


def test_the_check_tells_that_its_turn_has_not_come(world: World, member: Path) -> None:
    world.push(**wanted(member, "1"))
    member.write_text("")
    world.push(**wanted(member, "2"))
    (entry,) = drift.report(world.store)
    assert entry["drift"] == [{"what": "package runtime", "is": "1, not 2"}]
    world.system.packages["runtime"] = "2"
    (entry,) = drift.report(world.store)
    assert entry["drift"] == []


def test_an_actions_installation_holds_daemons_back_and_the_package_at_its_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    system: FakeSystem = world.system
    system.packages, system.offered = {"runtime": "1"}, {"runtime": "2"}
    system.units = {"runtime": Unit(active=True, enabled=True)}
    policies: list[str] = []

    def look(argv: list[str], *more: object) -> Outcome:
        if argv[0] == "apt-get" and "install" in argv:
            policies.append(dpkg.POLICY.read_text())
        return system.run(argv, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("components.host.agent.packages.run", look)
    assert requests.install(60, ["runtime=2"]) == []
    assert [text.splitlines()[-1] for text in policies] == ["exit 101"]
    assert not dpkg.POLICY.exists()
    assert (system.packages["runtime"], system.held) == ("2", {"runtime"})
    assert not system.did("systemctl")
    assert requests.install(60, ["runtime=2"]) == []
    assert len(policies) == 1


def test_an_actions_texts_have_the_command(tmp_path: Path) -> None:
    """It runs the agent as it lies here: to no package there is nothing to do."""
    action = actions.Action({"name": "x", "seconds": 60}, tmp_path)
    assert action.run("host-install") == (0, "", "")
    status, _, said = action.run("host-install no-assignment")
    assert status == 70
    assert "components/host/agent/requests.py" in said

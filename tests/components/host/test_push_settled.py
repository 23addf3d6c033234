"""A package that restarts its daemon as it is installed, on a booted machine with real dpkg."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.host import payload
from components.host.part import Package, Service
from tests.components.host import demo
from tests.components.host.booted import Booted, booted
from tests.components.host.test_push_packages import SOURCES, make_repository

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

MEMBER = "/etc/demo.member"
SERVICE = Service(name="demo", on_change="restart", watches=("/etc/demo",), health=demo.HEALTH)


@pytest.fixture
def machine() -> Iterator[Booted]:
    with booted("dev-host") as it:
        make_repository(it, action="restart")
        yield it


def wish(version: str) -> dict[str, Any]:
    return demo.request(
        "base",
        {"/etc/demo/a.conf": "ours\n"},
        program=False,
        contents=[SOURCES],
        packages=(Package(name="demod", version=version, hold=True, settled=MEMBER),),
        services=(SERVICE,),
    )


def act(machine: Booted, text: str) -> tuple[int, str]:
    request = payload.action(
        resource="x",
        name="x",
        do=text,
        guard=None,
        undo=None,
        result=None,
        secrets={},
        epoch="1",
        seconds=300,
    )
    answer = machine.ask("act", request)
    return answer.status, answer.err


def test_a_daemon_goes_on_through_the_installation_of_its_next_version(machine: Booted) -> None:
    assert machine.ask("apply", wish("1.0")).status == 0
    runs = machine.sh("systemctl show -p MainPID demo")
    machine.sh(f"touch {MEMBER}")

    # A push leaves the version, and what runs.
    assert machine.ask("apply", wish("2.0")).err == "nothing on the machine had to change\n"
    assert machine.sh("dpkg-query -W -f '${Version}' demod") == "1.0"
    (entry,) = machine.check()
    assert entry["drift"] == [{"what": "package demod", "is": "1.0, not 2.0"}]

    # An action brings it, and what runs goes on until it is told otherwise.
    status, said = act(machine, "host-install demod=2.0")
    assert status == 0, said
    assert machine.sh("dpkg-query -W -f '${db:Status-Abbrev}${Version}' demod") == "hi 2.0"
    assert machine.sh("systemctl show -p MainPID demo") == runs
    assert machine.check()[0]["drift"] == []
    status, said = act(machine, "host-install demod=9.9")
    assert status == 1
    assert said.splitlines()[0] == "E: Version '9.9' for 'demod' was not found"
    # By hand, with nothing that holds it back, the package's own script does restart it.
    machine.sh("dpkg -i /srv/repo/demod_1.0.deb")
    assert machine.sh("systemctl show -p MainPID demo") != runs

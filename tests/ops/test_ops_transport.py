"""The way to the machines: real ssh(1), a real sshd, a machine that really boots."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops.checks import certificates, clocks, fill, manifests, reboots, units, vips
from ops.question import Machine, Question, command, reading
from ops.transport import Access, access, ask, ask_all
from tests.components.host import demo
from tests.components.host.booted import Booted, booted
from tests.components.host.ssh_door import SshDoor
from tests.issued import made

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

UNAME = command("kernel", "uname", "-r")


@pytest.fixture(scope="module")
def machine() -> Iterator[Booted]:
    with booted("ops") as it:
        yield it


@pytest.fixture(scope="module")
def door(machine: Booted) -> Iterator[SshDoor]:
    it = SshDoor(machine)
    yield it
    it.close()


def at(port: int, host_key: str, name: str = "lb-a", python: bool = True) -> Machine:
    return Machine(
        name=name,
        role="balancer",
        host="pve1",
        address="127.0.0.1",
        lan="198.18.10.11",
        user="root",
        port=port,
        host_key=host_key,
        python=python,
    )


@pytest.fixture
def lb(door: SshDoor) -> Machine:
    return at(door.port, door.host_key)


@pytest.fixture
def way(door: SshDoor, lb: Machine) -> Iterator[Access]:
    with access(door.private_key, [lb]) as it:
        yield it


def test_the_key_is_its_owners_alone_and_goes(door: SshDoor, lb: Machine) -> None:
    with access(door.private_key, [lb]) as way:
        folder = way.folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes == {"deploy_key": 0o600, "known_hosts": 0o600}
        assert door.private_key.split()[10] not in " ".join(way.argv(lb))
    assert not folder.exists()


def test_answers_come_with_their_status_and_words(way: Access, lb: Machine) -> None:
    asked = [
        UNAME,
        command("bad", "sh", "-c", "echo out; echo words >&2; exit 3"),
        command("none", "no-such-program"),
        command("long", "sleep", "60", seconds=0.5),
        command("given", "cat", given="over standard input"),
        reading("files", "/etc/hostname", "/etc/none*"),
        Question(name="socket", kind="unix", more={"path": "/run/none", "text": "x"}),
    ]
    found = ask(way, lb, asked)
    assert found.silent is None
    told = {name: (each.status, each.out, each.err) for name, each in found.answers.items()}
    assert told["kernel"] == (0, f"{os.uname().release}\n", "")
    assert told["bad"] == (3, "out\n", "words\n")
    assert told["none"][0] == 127
    assert told["long"] == (124, "", "sleep: no answer within 0.5 s")
    assert told["given"] == (0, "over standard input", "")
    assert set(json.loads(told["files"][1])) <= {"/etc/hostname"}
    assert told["socket"][0] == 1
    assert "FileNotFoundError" in told["socket"][2]
    # One kernel, one clock.
    assert found.least <= 0 <= found.most
    assert found.most - found.least < 30


def test_another_host_key_is_refused(door: SshDoor, lb: Machine) -> None:
    key = Ed25519PrivateKey.generate().public_key()
    form = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    other = key.public_bytes(*form).decode()
    stranger = at(door.port, other)
    with access(door.private_key, [stranger]) as way:
        found = ask(way, stranger, [UNAME])
    assert found.answers == {}
    assert "Host key verification failed" in str(found.silent)


def test_who_does_not_answer_holds_nobody_up(door: SshDoor, lb: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute:
        dead = [at(mute.getsockname()[1], door.host_key, f"lb-{n}") for n in range(3)]
        gone = at(1, door.host_key, "gone")
        box = at(1, door.host_key, "box", python=False)
        everybody = [lb, *dead, gone, box]
        begun = time.monotonic()
        with access(door.private_key, everybody) as way:
            found = ask_all(way, {each.name: (each, [UNAME]) for each in everybody}, seconds=6)
        took = time.monotonic() - begun
    assert {name: each.silent for name, each in found.items() if name.startswith("lb-")} == {
        **{each.name: "no answer within 6 s" for each in dead},
        "lb-a": None,
    }
    assert "Connection refused" in str(found["gone"].silent)
    assert "appliance" in str(found["box"].silent)
    assert took < 12


def test_nothing_of_it_stays_on_the_machine(machine: Booted, way: Access, lb: Machine) -> None:
    look = "find / -xdev -newer /run/mark -type f -not -path '/proc/*' -not -path '/sys/*'"
    machine.sh("touch /run/mark")
    asked = [units.SERVICES, units.FAILED, vips.ADDRESSES, *fill_questions(), reboots.REQUIRED]
    assert ask(way, lb, [*asked, clocks.RUNNING]).silent is None
    changed = [each for each in machine.sh(look).splitlines() if "/var/log/" not in each]
    assert changed == []


def fill_questions() -> list[Question]:
    return [fill.DISKS, fill.MEMORY, fill.TRACKED]


def test_a_pushed_daemon_is_asked_by_its_own_probe_and_its_drift_told(
    machine: Booted, way: Access, lb: Machine
) -> None:
    asked = [units.SERVICES, manifests.REPORT]
    pushed = machine.ask("apply", demo.request("app", {"/etc/demo/a.conf": "alpha\nend\n"}))
    assert pushed.status == 0, pushed.err
    found = ask(way, lb, asked).answers
    services = json.loads(found["services"].out)
    assert [each["active"] for each in services if each["wanted"]] == ["active"]
    assert units.stopped("lb-a", services) == []
    assert manifests.drifted("lb-a", json.loads(found["manifests"].out)) == []
    (unit,) = [each["unit"] for each in services if each["wanted"]]
    machine.sh(f"systemctl stop {unit}")
    found = ask(way, lb, asked).answers
    assert units.stopped("lb-a", json.loads(found["services"].out)) == [f"lb-a: {unit} is inactive"]
    assert any(
        "not active" in each
        for each in manifests.drifted("lb-a", json.loads(found["manifests"].out))
    )


def test_of_a_bundle_only_certificates_leave_the_machine(
    machine: Booted, way: Access, lb: Machine
) -> None:
    pair = made("site")
    machine.sh("mkdir -p /etc/haproxy/tls")
    (machine.root / "etc/haproxy/tls/site.pem").write_text(f"{pair.pem}{pair.key_pem}")
    found = ask(way, lb, [certificates.LYING]).answers["certificates"]
    assert [row["pem"].strip() for row in json.loads(found.out)] == [pair.pem.strip()]
    assert "PRIVATE" not in found.out


def test_the_script_ends_by_itself_when_nobody_listens() -> None:
    """A session that was cut leaves nothing running on the machine."""
    program = (Path(__file__).parents[2] / "ops" / "scripts" / "answer.py").read_text()
    request = {
        "questions": {"long": command("long", "sleep", "3600", seconds=3600).as_dict()},
        "seconds": 1,
    }
    runner = "import json,sys;r=json.load(sys.stdin);exec(r['program'],r)"
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", runner],
        input=json.dumps({"program": program, "request": request}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert time.monotonic() - begun < 20

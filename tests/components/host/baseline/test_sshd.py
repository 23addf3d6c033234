"""Where sshd answers, on a booted machine with two legs: the management leg and another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.host.baseline import parts, sshd
from components.host.part import ConfirmPolicy
from tests.components.host import demo
from tests.components.host.baseline.test_baseline_parts import ARGS
from tests.components.host.booted import Booted, booted, poll
from tests.components.host.cable import Far, far, netplan

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]

OWN, OTHER = "198.18.0.21", "198.18.10.11"
KEYS = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPY run"]
KNOCK = (
    "import socket, sys; s = socket.create_connection((sys.argv[1], 22), 2); "
    "s.settimeout(5); sys.stdout.write(s.recv(7).decode())"
)


@pytest.fixture
def cabled() -> Iterator[Far]:
    with booted("sshd") as machine, far(machine) as end:
        for interface, own in (("eth0", OWN), ("eth1", OTHER)):
            end.plug(interface, f"{own.rpartition('.')[0]}.1/24")
            netplan(machine, interface, f"{own}/24")
        machine.sh("ssh-keygen -A; systemctl restart systemd-networkd")
        poll(lambda: OWN in machine.sh("ip address show eth0"), 15, "the machine's address")
        machine.sh("systemctl reset-failed ssh; systemctl restart ssh")
        yield end


def request(confirm: ConfirmPolicy | None = None) -> dict[str, object]:
    """The push of the sshd part alone."""
    (part,) = [each for each in parts.parts(ARGS.model()) if each.name == "sshd"]
    return demo.request(
        "baseline",
        part.texts(authorized_keys=KEYS),
        program=False,
        checks=part.checks,
        steps=part.steps,
        services=part.services,
        confirm=confirm,
    )


def answers(end: Far, address: str) -> bool:
    return end.run("python3", "-c", KNOCK, address).stdout == "SSH-2.0"


def listening(machine: Booted) -> list[str]:
    return [line.split()[3] for line in machine.sh("ss -Hltn 'sport = :22'").splitlines()]


def test_it_answers_on_the_management_leg_alone_whatever_the_firewall(cabled: Far) -> None:
    machine = cabled.machine
    assert answers(cabled, OTHER)
    answer = machine.ask("apply", request())
    assert answer.status == 0, answer.err
    assert listening(machine) == [f"{OWN}%eth0:22"]
    assert answers(cabled, OWN)
    assert not answers(cabled, OTHER)
    # The kernel takes a packet for any of its addresses on any leg.
    cabled.ip("route", "add", f"{OWN}/32", "via", OTHER)
    assert not answers(cabled, OWN)
    cabled.ip("route", "delete", f"{OWN}/32")


def test_it_waits_for_an_address_and_a_leg_that_come_late(cabled: Far) -> None:
    machine = cabled.machine
    assert machine.ask("apply", request()).status == 0
    machine.sh("ip address flush dev eth0; ip link set eth0 name away")
    machine.run("systemctl", "restart", "ssh")
    time.sleep(3)  # several attempts: nothing to wait for while it must not be there
    assert listening(machine) == []
    machine.sh("ip link set away down; ip link set away name eth0; ip link set eth0 up")
    machine.sh(f"ip address add {OWN}/24 dev eth0")
    poll(lambda: answers(cabled, OWN), 5, "sshd on its late address")


def test_a_socket_of_systemds_is_no_other_door(cabled: Far) -> None:
    """Ubuntu's way: ssh.socket holds port 22 on every address and hands it to sshd."""
    machine = cabled.machine
    machine.sh("systemctl disable --now ssh.service; systemctl enable --now ssh.socket")
    assert answers(cabled, OTHER)
    machine.sh("rm -rf /run/sshd")  # as systemd does when a connection has ended
    answer = machine.ask("apply", request(ConfirmPolicy(seconds=6)))
    assert answer.status == 0, answer.err
    assert listening(machine) == [f"{OWN}%eth0:22"]
    assert answers(cabled, OWN)
    # Nobody confirms: what held the port before holds it again.
    poll(lambda: answers(cabled, OTHER), 20, "the old way in")
    assert machine.sh("systemctl is-active ssh.socket") == "active"
    assert machine.ask("apply", request()).status == 0
    # As at boot, where both are wanted.
    machine.sh("systemctl stop ssh.socket ssh.service; systemctl start sockets.target ssh.service")
    machine.sh("systemctl start ssh.socket")
    assert listening(machine) == [f"{OWN}%eth0:22"]
    assert answers(cabled, OWN)


def test_another_address_that_the_image_brought_is_refused_by_name(cabled: Far) -> None:
    machine = cabled.machine
    machine.sh("echo 'ListenAddress 0.0.0.0:22' >>/etc/ssh/sshd_config")
    answer = machine.ask("apply", request())
    assert answer.status == 1
    assert "sshd would listen on 0.0.0.0:22 too: take that ListenAddress out" in answer.err
    assert machine.text(sshd.CONFIG) is None
    assert answers(cabled, OWN)


def test_a_leg_that_is_not_there_is_refused_before_anything_changes(cabled: Far) -> None:
    machine = cabled.machine
    text = request()
    files = text["files"]
    assert isinstance(files, dict)
    files[sshd.CONFIG]["content"] = files[sshd.CONFIG]["content"].replace("eth0", "ens18")
    answer = machine.ask("apply", text)
    assert answer.status == 1
    assert "bad routing domain" in answer.err
    assert "Nothing was changed on the machine." in answer.err


def test_without_a_name_of_its_leg_it_keeps_to_the_address() -> None:
    nameless = replace(ARGS, machine=replace(ARGS.machine, interfaces={}))
    (part,) = [each for each in parts.parts(nameless.model()) if each.name == "sshd"]
    texts = part.texts(authorized_keys=KEYS)
    assert f"ListenAddress {OWN}:22\n" in texts[sshd.CONFIG]
    assert sshd.LEG not in texts

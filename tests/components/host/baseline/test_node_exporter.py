"""Where node_exporter answers, on a booted machine with two legs, and what it tells."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.host.baseline import node_exporter, parts
from components.host.part import Part
from lab.software import checkers
from tests.components.host import demo
from tests.components.host.baseline.test_baseline_parts import ARGS
from tests.components.host.booted import booted, poll
from tests.components.host.cable import Far, far, netplan

OWN, OTHER, VIP = "198.18.0.21", "198.18.10.11", "198.18.10.10"
READ = (
    "import sys, urllib.request as u; "
    "sys.stdout.write(u.urlopen(f'http://{sys.argv[1]}:9100/metrics', timeout=3).read().decode())"
)
PROGRAM = "/usr/bin/prometheus-node-exporter"
UNIT = "/lib/systemd/system/prometheus-node-exporter.service"


def exporter(**over: object) -> Part:
    (part,) = [
        each
        for each in parts.parts(replace(ARGS, node_exporter=True, **over).model())
        if each.name == "node-exporter"
    ]
    return part


def request() -> dict[str, object]:
    """The push of this part alone, on a machine that has its package."""
    part = exporter()
    return demo.request(
        "baseline",
        part.texts(),
        program=False,
        checks=part.checks,
        steps=part.steps,
        services=part.services,
    )


@pytest.fixture
def cabled() -> Iterator[Far]:
    """A machine with the package's program, unit and user."""
    reason = checkers.lacking()
    if reason is not None:
        pytest.skip(reason)
    tree = checkers.item().path / "root"
    unit = (tree / UNIT.lstrip("/")).read_text(encoding="utf-8")
    with booted("exporter", files={UNIT: unit}) as machine, far(machine) as end:
        for interface, own in (("eth0", OWN), ("eth1", OTHER)):
            end.plug(interface, f"{own.rpartition('.')[0]}.1/24")
            netplan(machine, interface, f"{own}/24")
        shutil.copy(tree / PROGRAM.lstrip("/"), machine.root / PROGRAM.lstrip("/"))
        machine.sh("useradd --system prometheus; touch /etc/default/prometheus-node-exporter")
        machine.sh("systemctl daemon-reload; systemctl restart systemd-networkd")
        poll(lambda: OWN in machine.sh("ip address show eth0"), 15, "the machine's address")
        yield end


def answers(end: Far, address: str) -> str:
    return end.run("python3", "-c", READ, address).stdout


@pytest.mark.root
@pytest.mark.timeout(240)
def test_it_answers_on_the_management_leg_and_to_the_machine_itself_alone(cabled: Far) -> None:
    machine = cabled.machine
    answer = machine.ask("apply", request())
    assert answer.status == 0, answer.err
    assert "node_load1 " in answers(cabled, OWN)
    assert not answers(cabled, OTHER)
    # The kernel takes a packet for any of its addresses on any leg.
    cabled.ip("route", "add", f"{OWN}/32", "via", OTHER)
    assert not answers(cabled, OWN)
    cabled.ip("route", "delete", f"{OWN}/32")
    assert "node_load1 " in machine.sh(f"python3 -c {READ!r} {OWN}")

    machine.sh(f"ip address add {VIP}/32 dev eth1")
    told = answers(cabled, OWN)
    assert f'node_network_address_info{{address="{VIP}",device="eth1"' in told
    assert "node_memory_MemAvailable_bytes " in told

    machine.sh("systemctl kill --signal=SIGKILL prometheus-node-exporter")
    poll(lambda: answers(cabled, OWN), 10, "the exporter after it was killed")
    again = request()
    files = again["files"]
    assert isinstance(files, dict)
    files[node_exporter.UNIT]["content"] += "# changed\n"
    for socket in (node_exporter.SOCKET, node_exporter.OWN_SOCKET):
        files[f"/etc/systemd/system/{socket}"]["content"] += "# changed\n"
    answer = machine.ask("apply", again)
    assert answer.status == 0, answer.err
    assert answers(cabled, OWN)


@pytest.mark.root
@pytest.mark.timeout(240)
def test_it_waits_for_an_address_that_comes_late(cabled: Far) -> None:
    machine = cabled.machine
    answer = machine.ask("apply", request())
    assert answer.status == 0, answer.err
    machine.sh("ip address flush dev eth0")
    # As at the next boot.
    machine.sh("systemctl stop 'prometheus-node-exporter*'")
    machine.sh("systemctl start sockets.target multi-user.target")
    assert machine.sh("systemctl is-active prometheus-node-exporter") == "active"
    machine.sh(f"ip address add {OWN}/24 dev eth0")
    poll(lambda: answers(cabled, OWN), 10, "the exporter on its late address")


def test_a_machine_that_is_not_told_has_none() -> None:
    assert "node-exporter" not in [part.name for part in parts.parts(ARGS.model())]


def test_an_image_that_has_the_package_is_not_asked_for_it() -> None:
    assert [each.name for each in exporter().packages] == ["prometheus-node-exporter"]
    assert exporter(install_packages=False).packages == ()


def test_without_a_name_of_its_leg_it_keeps_to_the_address() -> None:
    nameless = exporter(machine=replace(ARGS.machine, interfaces={}))
    path = f"/etc/systemd/system/{node_exporter.SOCKET}"
    assert list(nameless.texts()) == [path, node_exporter.UNIT]
    assert f"ListenStream={OWN}:9100\n" in nameless.texts()[path]
    assert "BindToDevice" not in nameless.texts()[path]

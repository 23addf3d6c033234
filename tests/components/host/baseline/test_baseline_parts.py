"""The baseline's parts as plain values; one more of them is a file and a row."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from components.host import Baseline, BaselineArgs, Connection, Machine, payload
from components.host.baseline import parts
from components.host.baseline.model import BaselineModel
from components.host.packages import Repository
from components.host.part import Package, Part, Service, Text
from settings.models import DISTRIBUTIONS, Collector, DistributionName
from tests.components.mocks import run_program

MACHINE = Machine(
    name="lb-a",
    role="balancer",
    addresses={
        "management": IPv4Interface("198.18.0.21/24"),
        "lan": IPv4Interface("198.18.10.11/24"),
    },
    interfaces={"management": "eth0", "lan": "eth1"},
    connection=Connection(host="198.18.0.21", private_key="KEY", host_key="ssh-ed25519 AAAA"),
    vm=None,
    host="pve1",
)
ARGS = BaselineArgs(
    machine=MACHINE, authorized_keys=("ssh-ed25519 AAAA",), ntp_servers=("198.18.0.4",)
)
COLLECTOR = Collector.model_validate({"address": "198.18.10.201"})


def by_name(model: BaselineModel) -> dict[str, Part]:
    return {part.name: part for part in parts.parts(model)}


def test_the_parts_come_in_the_order_of_their_units() -> None:
    assert list(by_name(replace(ARGS, node_exporter=True, collector=COLLECTOR).model())) == [
        "distribution",
        "names",
        "legs",
        "journald",
        "sshd",
        "chrony",
        "node-exporter",
        "certificates",
        "journal",
        "apt",
    ]


def test_a_machine_without_time_servers_has_no_chrony() -> None:
    assert "chrony" not in by_name(replace(ARGS, ntp_servers=()).model())


def test_sshd_opens_the_management_network_and_nothing_else_is_opened() -> None:
    made = by_name(ARGS.model())
    opened = [port for part in made.values() for port in part.ports]
    assert [(port.protocol, port.number, port.network) for port in opened] == [
        ("tcp", 22, "management")
    ]
    assert made["sshd"].ports == tuple(opened)


def test_the_exporter_opens_its_port_where_sshd_has_its_own() -> None:
    made = by_name(replace(ARGS, node_exporter=True).model())
    opened = [port for part in made.values() for port in part.ports]
    assert [(port.number, port.network, port.sources) for port in opened] == [
        (22, "management", "management"),
        (9100, "management", "management"),
    ]


def test_who_reads_the_figures_is_let_in_beside_the_operators() -> None:
    readers = (IPv4Address("198.18.0.41"), IPv4Address("198.18.0.42"))
    made = by_name(replace(ARGS, node_exporter=True, readers=readers).model())
    assert [(port.sources, port.addresses) for port in made["node-exporter"].ports] == [
        ("management", ()),
        ("named", readers),
    ]


def test_the_authorized_keys_of_another_user_lie_in_that_users_home() -> None:
    machine = replace(MACHINE, connection=replace(MACHINE.connection, user="ops"))
    keys = by_name(replace(ARGS, machine=machine).model())["sshd"].files[0]
    assert (keys.path, keys.owner, keys.mode) == (
        "/home/ops/.ssh/authorized_keys",
        "ops:ops",
        "0600",
    )


def test_authorized_keys_stand_as_given_and_the_texts_wait_for_nothing_else() -> None:
    (sshd,) = [part for part in parts.parts(ARGS.model()) if part.name == "sshd"]
    texts = sshd.texts(authorized_keys=["ssh-ed25519 A a\n", "ssh-ed25519 B", "ssh-ed25519 A a\n"])
    listed = texts["/root/.ssh/authorized_keys"].splitlines()
    # A rule over the plan tells a key that is two people's by its two lines.
    assert listed[1:] == ["ssh-ed25519 A a", "ssh-ed25519 B", "ssh-ed25519 A a"]


@pytest.mark.parametrize("security", [True, False])
def test_upgrades_bring_their_package_only_when_they_are_wanted(security: bool) -> None:
    upgrades = "security" if security else "off"
    apt = by_name(replace(ARGS, automatic_upgrades=upgrades).model())["apt"]
    assert bool(apt.packages) == security


def test_the_images_own_sources_are_emptied_only_for_others() -> None:
    brought = Repository(name="internal", uris=("http://192.0.2.4",), suites=("bookworm",))
    emptied = "/etc/apt/sources.list.d/debian.sources"
    assert emptied not in by_name(ARGS.model())["apt"].texts()
    assert emptied in by_name(replace(ARGS, repositories=(brought,)).model())["apt"].texts()


def of(distribution: DistributionName) -> BaselineArgs:
    """The same machine, of another distribution."""
    return replace(ARGS, machine=replace(MACHINE, distribution=DISTRIBUTIONS[distribution]))


def test_the_sources_that_are_emptied_are_those_of_the_machines_distribution() -> None:
    brought = Repository(name="internal", uris=("http://192.0.2.4",), suites=("noble",))
    ubuntu = "/etc/apt/sources.list.d/ubuntu.sources"
    noble = replace(of("noble"), repositories=(brought,), automatic_upgrades="security")
    assert list(by_name(noble.model())["apt"].texts())[1:] == ["/etc/apt/sources.list", ubuntu]
    named = replace(brought, name="ubuntu")
    assert ubuntu not in by_name(replace(noble, repositories=(named,)).model())["apt"].texts()


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ("VERSION_CODENAME=trixie\n", 0),
        ("VERSION_CODENAME=bookworm\n", 1),
        ("ID=arch\n", 1),
    ],
)
def test_a_machine_is_asked_whether_it_is_what_the_stack_says(
    says: str, status: int, tmp_path: Path
) -> None:
    release = tmp_path / "os-release"
    release.write_text(says)
    (check,) = by_name(of("trixie").model())["distribution"].checks
    argv = [word.replace("/etc/os-release", str(release)) for word in check.argv]
    said = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert said.returncode == status
    if status:
        word = says.strip().partition("=")[2]
        assert said.stdout == (
            f"the machine is {word}, and the stack says that\n"
            "its image is trixie (distribution): write what it is, or have the machine made anew\n"
        )


def shipper(model: BaselineModel) -> Part:
    """What a file of its own would hold: a daemon that sends the journal away."""
    path = "/etc/default/journal-shipper"
    return Part(
        name="shipper",
        packages=(Package(name="journal-shipper"),),
        files=(Text(path=path, content=f'ARGS="--as={model.name}"\n'),),
        services=(Service(name="journal-shipper", watches=(path,)),),
    )


def test_one_more_row_puts_a_daemon_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PARTS", (*parts.PARTS, shipper))
    seen = run_program(lambda: Baseline("lb-a-baseline", ARGS))
    push = payload.request_of(seen.one("command:remote:Command", "lb-a-baseline").inputs["stdin"])
    assert push["packages"] == {"chrony": None, "journal-shipper": None}
    assert push["files"]["/etc/default/journal-shipper"]["content"] == 'ARGS="--as=lb-a"\n'
    assert [service["name"] for service in push["services"]] == [
        "systemd-journald",
        "ssh",
        "chrony",
        "journal-shipper",
    ]

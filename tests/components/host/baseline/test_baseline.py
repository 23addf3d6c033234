"""The baseline: its whole files, and its component on a mock engine."""

from __future__ import annotations

from ipaddress import IPv4Interface
from typing import Any

import pulumi
import pytest

from components.host import Baseline, BaselineArgs, Connection, Machine, Repository, payload
from tests.components import stacks
from tests.components.host.baseline.test_baseline_parts import COLLECTOR, MACHINE
from tests.components.mocks import Registered, run_program
from tests.golden_files import assert_golden

COMMAND = "command:remote:Command"
KEYS = ("ssh-ed25519 AAAAdeploy run", "ssh-ed25519 AAAAalice alice@desk")
REPOSITORY = Repository(
    name="internal", uris=("http://192.0.2.4/debian",), suites=("bookworm",), components=("main",)
)


def baseline(**over: Any) -> Registered:
    def program() -> None:
        given: dict[str, Any] = {
            "machine": MACHINE,
            "authorized_keys": KEYS,
            "repositories": (REPOSITORY,),
            "resolvers": ("192.0.2.4", "192.0.2.5"),
            "domain": "lab.test",
            "ntp_servers": ("198.18.0.4", "ntp.lab.test"),
            "hosts": {"lb-a": "198.18.10.11", "lb-b": "198.18.10.12"},
            "automatic_upgrades": "security",
            "node_exporter": True,
            "collector": COLLECTOR,
        }
        Baseline("lb-a-baseline", BaselineArgs(**{**given, **over}))

    return run_program(program)


def request(seen: Registered) -> dict[str, Any]:
    return payload.request_of(seen.one(COMMAND, "lb-a-baseline").inputs["stdin"])


def test_every_file_of_the_baseline_is_as_it_was_read() -> None:
    for path, spec in request(baseline())["files"].items():
        head = f"# {spec['mode']} {spec['owner']}\n"
        assert_golden(f"host/baseline{path}", head + spec["content"])


def test_a_lean_baseline_leaves_out_what_it_was_not_given() -> None:
    lean = request(
        baseline(
            repositories=(),
            resolvers=(),
            ntp_servers=(),
            domain=None,
            automatic_upgrades="off",
            node_exporter=False,
            collector=None,
        )
    )
    assert lean["packages"] == {}
    assert not [path for path in lean["files"] if "chrony" in path or "sources" in path]
    assert "/etc/resolv.conf" not in lean["files"]
    assert "198.18.10.11 lb-a\n" in lean["files"]["/etc/hosts"]["content"]
    policy = lean["files"]["/etc/apt/apt.conf.d/52layered-cloud-upgrades"]["content"]
    assert 'APT::Periodic::Unattended-Upgrade "0";' in policy


def test_packages_come_with_what_needs_them_unless_the_image_has_them() -> None:
    assert request(baseline())["packages"] == {
        "chrony": None,
        "prometheus-node-exporter": None,
        "rsyslog": None,
        "unattended-upgrades": None,
    }
    assert request(baseline(install_packages=False))["packages"] == {}


def test_the_way_in_is_checked_by_sshd_and_confirmed_over_a_new_connection() -> None:
    seen = baseline()
    wish = request(seen)
    assert [check["argv"][:2] for check in wish["checks"]] == [
        ["/bin/sh", "-c"],
        ["/bin/sh", "-c"],
        ["/bin/bash", "-c"],
        ["/usr/sbin/rsyslogd", "-N1"],
    ]
    assert wish["confirm"] == {"seconds": 60}
    confirm = seen.one(COMMAND, "lb-a-baseline-confirm")
    assert payload.request_of(confirm.inputs["stdin"])["generation"] == payload.generation(wish)


def test_the_images_own_sources_are_emptied_or_taken_over() -> None:
    files = request(baseline())["files"]
    assert "URIs" not in files["/etc/apt/sources.list.d/debian.sources"]["content"]
    assert "http://192.0.2.4/debian" in files["/etc/apt/sources.list.d/internal.sources"]["content"]
    own = Repository(name="debian", uris=("http://192.0.2.4/debian",), suites=("bookworm",))
    taken = request(baseline(repositories=(own,)))["files"]
    assert "http://192.0.2.4" in taken["/etc/apt/sources.list.d/debian.sources"]["content"]


def test_a_baseline_is_two_commands_that_once_hung_below_two_components() -> None:
    seen = baseline()
    assert seen.names(COMMAND) == ["lb-a-baseline", "lb-a-baseline-confirm"]
    for name in seen.names(COMMAND):
        (before,) = seen.one(COMMAND, name).aliases
        above = "layered-cloud:host:Baseline$layered-cloud:host:Configuration::lb-a-baseline"
        assert f"::{above}" in before


def test_what_its_daemons_listen_on_is_told_to_who_keeps_the_firewall() -> None:
    made: list[Baseline] = []
    machine = stacks.machines(stacks.lab(), "router")[0]
    args = BaselineArgs(machine=machine, authorized_keys=("ssh-ed25519 A",))

    run_program(lambda: made.append(Baseline("m-baseline", args)))

    assert [(each.number, each.network, each.sources) for each in made[0].ports] == [
        (22, "management", "management")
    ]


def test_where_its_figures_are_read_is_handed_on() -> None:
    made: list[Baseline] = []
    machine = stacks.machines(stacks.lab(), "router")[0]
    args = BaselineArgs(machine=machine, authorized_keys=("ssh-ed25519 A",), node_exporter=True)

    run_program(lambda: made.append(Baseline("m-baseline", args)))

    assert made[0].exporters == {"router-a": ["http://198.18.0.11:9100/metrics"]}
    assert 9100 in [each.number for each in made[0].ports]


def test_a_key_that_is_known_late_is_waited_for() -> None:
    def program() -> None:
        machine = Machine(
            name="m",
            role="router",
            addresses={"management": IPv4Interface("198.18.0.11/24")},
            interfaces={"management": "eth0"},
            connection=Connection(host="198.18.0.11", private_key="K", host_key="ssh-ed25519 A"),
            vm=None,
            host="pve1",
        )
        late = pulumi.Output.from_input("ssh-ed25519 AAAAlate\n")
        Baseline("m-baseline", BaselineArgs(machine=machine, authorized_keys=(late,)))

    seen = run_program(program)
    files = payload.request_of(seen.one(COMMAND, "m-baseline").inputs["stdin"])["files"]
    assert files["/root/.ssh/authorized_keys"]["content"].endswith("\nssh-ed25519 AAAAlate\n")
    assert files["/root/.ssh/authorized_keys"]["mode"] == "0600"


def test_a_baseline_that_lets_nobody_in_is_refused() -> None:
    with pytest.raises(ValueError, match="without an authorized key nobody, this program"):
        baseline(authorized_keys=())

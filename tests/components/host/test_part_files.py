"""A part becomes a configuration: late values and secrets are given by the names it uses."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface

import pulumi
import pytest

from components.host import (
    ConfirmPolicy,
    Connection,
    HostConfiguration,
    HostConfigurationArgs,
    Late,
    Machine,
    Package,
    Part,
    PeerGuard,
    Repository,
    Service,
    Text,
    files,
    package,
    payload,
)
from tests.components.mocks import run_program

COMMAND = "command:remote:Command"
MACHINE = Machine(
    name="lb-a",
    role="balancer",
    addresses={"management": IPv4Interface("198.18.0.21/24")},
    interfaces={"management": "eth0"},
    connection=Connection(host="198.18.0.21", private_key="KEY", host_key="ssh-ed25519 AAAA"),
    vm=None,
    host="pve1",
)


def joined(ranges: list[str]) -> str:
    return " ".join(ranges)


OTHER = replace(MACHINE.distribution, packages={**MACHINE.distribution.packages, "bird": "bird"})

PART = Part(
    name="demo",
    packages=(Package(name="demo"), package("bird"), package("kubelet", version="1.36.3-1.1")),
    files=(
        Text(path="/etc/ranges", content=Late(needs=("ranges",), render=joined)),
        Text(path="/etc/secret", content="key @@key@@\n", mode="0600", secrets=("key",)),
    ),
    services=(Service(name="demo"),),
)


def test_a_part_is_pushed_with_everything_it_has() -> None:
    guard = PeerGuard(vips=("198.18.10.10",), probe=("true",))
    repository = Repository(name="internal", uris=("http://192.0.2.4",), suites=("bookworm",))

    def program() -> None:
        ranges = pulumi.Output.from_input(["198.51.100.0/24", "203.0.113.0/24"])
        args = HostConfigurationArgs.of(
            PART,
            machine=replace(MACHINE, distribution=OTHER),
            late={"ranges": ranges},
            secrets={"key": pulumi.Output.secret("4711")},
            repositories=(repository,),
            confirm=ConfirmPolicy(seconds=5),
            owner_guard=guard,
            epoch="7",
            seconds=60,
        )
        HostConfiguration("lb-a-demo", args)

    seen = run_program(program)
    push = payload.request_of(seen.one(COMMAND, "lb-a-demo").inputs["stdin"])
    assert (push["layer"], push["epoch"], push["seconds"]) == ("demo", "7", 60)
    assert push["packages"] == {"demo": None, "bird": None, "kubelet": "1.36.3-1.1"}
    assert push["files"]["/etc/ranges"]["content"] == "198.51.100.0/24 203.0.113.0/24"
    assert push["files"]["/etc/secret"]["content"] == "key @@key@@\n"
    assert "/etc/apt/sources.list.d/internal.sources" in push["files"]
    assert push["confirm"] == {"seconds": 5}
    assert push["owner_guard"]["vips"] == ["198.18.10.10"]
    secrets = payload.request_of(seen.one(COMMAND, "lb-a-demo-secrets").inputs["stdin"])
    assert secrets["secrets"] == {"/etc/secret#key": "4711"}


@pytest.mark.parametrize(
    ("late", "secrets", "missing"), [({}, {"key": "x"}, "ranges"), ({"ranges": []}, {}, "key")]
)
def test_a_value_that_a_part_names_and_nobody_gives_is_an_error(
    late: dict[str, list[str]], secrets: dict[str, str], missing: str
) -> None:
    with pytest.raises(KeyError, match=missing):
        run_program(lambda: files(PART.files, late=late, secrets=secrets))

"""Routers whose machines cannot serve as such are refused, all of it at once."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface

import pytest

from components.host import Machine
from components.routers.verify import verify, verify_ranges
from tests.components import stacks


def without(machine: Machine, network: str) -> Machine:
    return replace(machine, addresses={k: v for k, v in machine.addresses.items() if k != network})


@pytest.mark.parametrize("stack", [stacks.lab, stacks.single, stacks.two_groups])
def test_the_shipped_shapes_make_sense(stack: object) -> None:
    assert callable(stack)
    assert verify(stacks.machines(stack(), "router")) == []


@pytest.mark.parametrize("network", ["management", "lan", "wan", "sync"])
def test_a_router_of_a_pair_needs_a_leg_on_every_network(network: str) -> None:
    first, second = stacks.machines(stacks.lab(), "router")

    assert verify([without(first, network), second]) == [
        f"router-a has no leg on the {network} network; give it an address and an interface"
    ]


def test_a_router_alone_needs_no_sync_leg() -> None:
    first, _ = stacks.machines(stacks.lab(), "router")

    assert verify([without(first, "sync")]) == []


def test_peers_on_different_subnets_are_refused() -> None:
    first, second = stacks.machines(stacks.lab(), "router")
    moved = replace(second, addresses={**second.addresses, "wan": IPv4Interface("192.0.2.3/24")})

    assert verify([first, moved]) == [
        "router-a (203.0.113.2/24) and router-b (192.0.2.3/24) are not on one wan subnet; VRRP "
        "moves addresses within a subnet only"
    ]


def test_a_cdn_without_ranges_is_refused_with_its_consequence() -> None:
    (said,) = verify_ranges([])

    assert said.startswith("the CDN has no ranges; the routers would drop every request.")
    assert verify_ranges(["192.0.2.0/24"]) == []

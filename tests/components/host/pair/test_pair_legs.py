"""Where the machines of a pair stand: what adopted ones may lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface

from components.host.pair import leg, leg_problems


@dataclass(frozen=True)
class Member:
    name: str
    addresses: Mapping[str, IPv4Interface]
    interfaces: Mapping[str, str] = field(default_factory=lambda: {"lan": "eth1", "wan": "eth2"})
    addresses6: Mapping[str, IPv6Interface] = field(default_factory=dict)


def member(name: str, **addresses: str) -> Member:
    return Member(name, {network: IPv4Interface(text) for network, text in addresses.items()})


A = member("a", lan="192.0.2.2/24", wan="198.51.100.2/24")
B = member("b", lan="192.0.2.3/24", wan="198.51.100.3/24")


def test_a_pair_that_stands_together_has_no_problems() -> None:
    assert leg_problems([A, B], ["lan", "wan"]) == []
    assert leg_problems([A], ["lan"]) == []


def test_a_lacking_address_or_interface_is_a_lacking_leg() -> None:
    nameless = Member("b", B.addresses, {"lan": "eth1"})

    assert leg_problems([member("a", lan="192.0.2.2/24"), nameless], ["lan", "wan"]) == [
        "a has no leg on the wan network; give it an address and an interface",
        "b has no leg on the wan network; give it an address and an interface",
    ]


def test_peers_apart_and_peers_alike_are_both_named() -> None:
    twin = member("b", lan="192.0.2.2/25", wan="198.51.100.3/24")

    assert leg_problems([A, twin], ["lan", "wan"]) == [
        "a (192.0.2.2/24) and b (192.0.2.2/25) are not on one lan subnet; VRRP moves addresses "
        "within a subnet only",
        "a and b both have lan 192.0.2.2; give each its own, beside the VIP",
    ]


def test_only_the_networks_asked_about_count() -> None:
    assert leg_problems([A, member("b", lan="192.0.2.3/24")], ["lan"]) == []


def test_a_leg_is_an_interface_with_its_own_address() -> None:
    found = leg(A, "lan")

    assert (found.interface, str(found.address), str(found.ip)) == (
        "eth1",
        "192.0.2.2/24",
        "192.0.2.2",
    )

"""The legs of the machines of a pair: an adopted machine may lack one, or stand elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from itertools import combinations
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A network interface and the machine's own address on it, of IPv6 too on a visitor's way."""

    interface: str
    address: IPv4Interface
    address6: IPv6Interface | None = None

    @property
    def ip(self) -> IPv4Address:
        """The own address without its prefix length."""
        return self.address.ip

    @property
    def ip6(self) -> IPv6Address | None:
        """The same of IPv6."""
        return None if self.address6 is None else self.address6.ip


class HasLegs(Protocol):
    """What is asked of a machine: its addresses and interfaces, keyed by network."""

    @property
    def name(self) -> str: ...
    @property
    def addresses(self) -> Mapping[str, IPv4Interface]: ...
    @property
    def interfaces(self) -> Mapping[str, str]: ...
    @property
    def addresses6(self) -> Mapping[str, IPv6Interface]: ...


def leg(machine: HasLegs, network: str) -> Leg:
    """The machine's leg on `network`; `KeyError` when it has none."""
    return Leg(
        interface=machine.interfaces[network],
        address=machine.addresses[network],
        address6=machine.addresses6.get(network),
    )


def neighbours(
    machines: Iterable[HasLegs], network: str, given: Iterable[IPv4Address]
) -> tuple[IPv4Address, ...]:
    """Whom to ask on `network`: the `given` addresses, else those of `machines` there."""
    chosen = tuple(given)
    return chosen or tuple(
        each.addresses[network].ip for each in machines if network in each.addresses
    )


def leg_problems(machines: Iterable[HasLegs], networks: Iterable[str]) -> list[str]:
    """Legs that machines lack on `networks`; peers that are not on one subnet, or have one
    address."""
    members, wanted = list(machines), list(networks)
    problems = [
        f"{each.name} has no leg on the {network} network; give it an address and an interface"
        for each in members
        for network in wanted
        if network not in each.addresses or network not in each.interfaces
    ]
    for first, second in combinations(members, 2):
        for network in wanted:
            if network in first.addresses and network in second.addresses:
                problems += _peer_problems(first, second, network)
    return problems


def _peer_problems(first: HasLegs, second: HasLegs, network: str) -> Iterator[str]:
    ours, theirs = first.addresses[network], second.addresses[network]
    if ours.network != theirs.network:
        yield (
            f"{first.name} ({ours}) and {second.name} ({theirs}) are not on one {network} subnet; "
            "VRRP moves addresses within a subnet only"
        )
    if ours.ip == theirs.ip:
        yield (
            f"{first.name} and {second.name} both have {network} {ours.ip}; give each its own, "
            "beside the VIP"
        )

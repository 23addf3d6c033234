"""What an address set of a CDN must be before it may open a firewall."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, collapse_addresses

WIDEST = 8
"""The shortest prefix a range may have: a wider one is no CDN, it is the internet."""


class RangesRefused(ValueError):
    """The set would close the routers to everybody, or open them to anybody."""


def usable_ranges(given: Iterable[str], source: str) -> list[str]:
    """The ranges as IPv4 networks, sorted and without overlaps, at least one.

    `source` says where they come from. Raises `RangesRefused` for an empty set, a text that is no
    IPv4 network, and a range wider than a /8: the update fails, and the set in use stays.
    """
    networks: list[IPv4Network] = []
    for each in given:
        try:
            network = IPv4Network(each)
        except ValueError as error:
            raise RangesRefused(f"{source}: {error}; the set in use stays") from error
        if network.prefixlen < WIDEST:
            raise RangesRefused(
                f"{source}: {network} is wider than a /{WIDEST} and would let everybody in; the "
                "set in use stays"
            )
        networks.append(network)
    if not networks:
        raise RangesRefused(
            f"{source}: no IPv4 range at all, and an empty set would shut everybody out; the set "
            "in use stays"
        )
    return [str(each) for each in collapse_addresses(networks)]

"""Addresses out of the networks that the answers name."""

from __future__ import annotations

from typing import Final

from settings.models.addresses import Subnet, address, is_address, subnet
from settings.problems import NAMESPACE, Problem

_STAND_IN: Final = "192.168.0.0/16"


class Full(Exception):
    """A network has no address left; its argument is the network's key."""


class Free:
    """The addresses of a network that nobody holds yet."""

    def __init__(self, key: str, text: str, taken: list[str]) -> None:
        self.network = _network(text)
        self._key = key
        self._taken = {address(each) for each in taken if is_address(each)}

    def take(self, offset: int) -> str:
        """The address so far into the network, or the next free one."""
        size = self.network.num_addresses
        for step in range(size):
            found = self.network[(offset + step) % size]
            edge = found in (self.network.network_address, self.network.broadcast_address)
            if not edge and found not in self._taken:
                self._taken.add(found)
                return str(found)
        raise Full(self._key)

    def row(self) -> tuple[str, str]:
        """The first and last of addresses in a row: 21 from the 200th on, or the network's last
        four."""
        size = self.network.num_addresses
        first, count = (200, 21) if size >= 256 else (size - 5, 4)
        held = [self.network[first + step] for step in range(count)] if first > 0 else []
        if not held or not self._taken.isdisjoint(held):
            raise Full(self._key)
        self._taken.update(held)
        return str(held[0]), str(held[-1])


def _network(text: str) -> Subnet:
    try:
        return subnet(text)
    except ValueError:
        return subnet(_STAND_IN)


def no_room(error: Full) -> Problem:
    """The problem of a network that is too small for what is asked."""
    return Problem(
        key=f"{NAMESPACE}:networks.{error}.cidr",
        wrong="has too few addresses for the machines, their VIPs and the pool",
        right="write a larger network, such as a /24, or ask for fewer machines",
    )

"""Machines, each with its place, its size and its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from settings.init.plan.addresses import Free

Row = dict[str, Any]
"""One mapping of the file."""

_SIZES: Final[dict[tuple[str, bool], tuple[int, int, int]]] = {
    ("router", False): (1, 1024, 8),
    ("router", True): (2, 2048, 16),
    ("lb", False): (1, 2048, 8),
    ("lb", True): (2, 8192, 16),
    ("cp", False): (2, 4096, 32),
    ("cp", True): (4, 8192, 64),
    ("worker", False): (2, 4096, 32),
    ("worker", True): (8, 32768, 128),
}
"""Cores, MiB of memory and GiB of disk by kind of machine, and whether they stand in pairs."""
_OFFSETS: Final = {"router": (11, 2), "lb": (21, 11), "cp": (31, 21), "worker": (41, 31)}
"""Where addresses of a kind begin on management and LAN."""


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Makes the rows of machines; each takes its addresses."""

    pools: dict[str, Free]
    hosts: list[str]
    first_id: int
    pairs: bool

    def machine(self, name: str, number: int, place: int, legs: list[str]) -> Row:
        """A virtual machine, the so-manieth of the stack, on the so-manieth host."""
        kind = name.partition("-")[0]
        cores, memory, disk = _SIZES[kind, self.pairs]
        return {
            "name": name,
            "host": self.hosts[place % len(self.hosts)],
            "vm_id": self.first_id + number,
            **{"cores": cores, "memory": memory, "disk": disk},
            **{leg: self._address(kind, leg) for leg in legs},
        }

    def physical(self, name: str, management: str, interfaces: Row) -> Row:
        """A router that nobody makes: it has its management address already."""
        legs = [each for each in interfaces if each != "management"]
        addresses = {leg: self._address("router", leg) for leg in legs}
        return {"name": name, "management": management, **addresses, "interfaces": interfaces}

    def _address(self, kind: str, leg: str) -> str:
        start = dict(zip(("management", "lan"), _OFFSETS[kind], strict=True))
        return self.pools[leg].take(start.get(leg, 2))

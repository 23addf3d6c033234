"""What two machines that share addresses by VRRP have in common, whatever they do beside. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

OWNER_PRIORITY = 150
BACKUP_PRIORITY = 100
"""VRRP priorities. Every tracker has weight 0 (it faults the group instead of shifting its
priority), so that the gap between them never has to be exceeded."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A network interface and the machine's own address on it."""

    interface: str
    address: IPv4Interface

    @property
    def ip(self) -> IPv4Address:
        """The own address without its prefix length."""
        return self.address.ip


def segment_problems(
    first: str, second: str, segment: str, ours: Leg, theirs: Leg
) -> Iterator[str]:
    """What is wrong with the legs of the machines `first` and `second` on one segment."""
    if ours.address.network != theirs.address.network:
        yield (
            f"{first} ({ours.address}) and {second} ({theirs.address}) are not on one {segment} "
            "subnet"
        )
    if ours.ip == theirs.ip:
        yield f"{first} and {second} both have {segment} {ours.ip}"


def advert_problems(interval: float) -> Iterator[str]:
    """What is wrong with an advert interval in seconds (RFC 5798, 5.2.7)."""
    centiseconds = interval * 100
    if abs(centiseconds - round(centiseconds)) > 1e-6:
        yield (
            f"advert_interval {interval} s is not a whole number of hundredths of a second, the "
            "unit VRRP version 3 counts in"
        )

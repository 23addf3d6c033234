"""Which machine of a pair owns what, who its peer is, and who is changed first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Generic, Protocol, TypeVar

from components.host.part import PeerGuard

OWNER_PRIORITY = 250
BACKUP_PRIORITY = 200
MAINTENANCE_PRIORITY = 10
"""VRRP priorities. High, since a backup waits (256 - priority)/256 of an advert interval on top of
three of them, and just that after a farewell (RFC 5798, section 6.1, Skew_Time). A tracker has
weight 0 (it faults the group), or one that exceeds the gap between them: then the backup is
preferred while only the owner lacks something. One in maintenance is preferred to nobody, whatever
the other one lacks."""

HEALTH_PORT = 8406
"""TCP: answers `healthy` to the peer, or what is wrong (`pair.health`)."""

_ASK_PEER = (
    'exec 3<>"/dev/tcp/$1/$2" || exit 1; read -r -t 5 said <&3; '
    '[ "$said" = healthy ] && exit 0; echo "$1 says: $said" >&2; exit 1'
)


class Named(Protocol):
    """A machine, or what a layer knows of one."""

    @property
    def name(self) -> str: ...


class Owned(Protocol):
    """A group of addresses that move together, with the machine that holds it while all is well."""

    @property
    def owner(self) -> str: ...


M = TypeVar("M", bound=Named)
V = TypeVar("V", bound=Owned)


@dataclass(frozen=True, kw_only=True)
class Pair(Generic[M, V]):
    """Two machines that share the addresses of `vips` by VRRP; or one, which then owns them. One of
    two may be in `maintenance`: it leaves the addresses to the other. Further machines hold none of
    them."""

    members: tuple[M, ...]
    vips: tuple[V, ...]
    maintenance: frozenset[str] = frozenset()

    def member(self, name: str) -> M:
        """The machine called `name`; `KeyError` when there is none."""
        for member in self.members:
            if member.name == name:
                return member
        raise KeyError(name)

    def holds(self, name: str) -> bool:
        """Whether `name` is one of those that share the addresses."""
        return name in [member.name for member in self.members[:2]]

    def peer(self, name: str) -> M | None:
        """The other one that shares the addresses; `None` when there is one only, and for a machine
        that holds none."""
        if not self.holds(name):
            return None
        return next((member for member in self.members[:2] if member.name != name), None)

    def others(self, name: str) -> tuple[M, ...]:
        """All but `name`."""
        return tuple(member for member in self.members if member.name != name)

    def asked(self, name: str) -> M | None:
        """Whose health decides whether `name` may be touched: its peer, else the first one; `None`
        when there is no other machine."""
        return next(iter(self.others(name)), None)

    def rank(self, name: str) -> int:
        """The place of `name` among the members: who comes first where nothing else decides."""
        return [member.name for member in self.members].index(name)

    def priority(self, vip: V, name: str) -> int:
        """The VRRP priority of `name` in `vip`."""
        if self.drains(name):
            return MAINTENANCE_PRIORITY
        return OWNER_PRIORITY if vip.owner == name else BACKUP_PRIORITY

    def drains(self, name: str) -> bool:
        """Whether `name` leaves the addresses to a peer that is there to hold them."""
        peer = self.peer(name)
        return name in self.maintenance and peer is not None and peer.name not in self.maintenance

    def holder(self, vip: V) -> str:
        """Who holds `vip` while all is well: its owner, or the owner's peer meanwhile."""
        peer = self.peer(vip.owner)
        return peer.name if peer is not None and self.drains(vip.owner) else vip.owner

    def rollout(self) -> tuple[M, ...]:
        """The machines in the order they are changed: who is to hold no VIP first."""
        holders = {self.holder(vip) for vip in self.vips}
        return tuple(sorted(self.members, key=lambda member: member.name in holders))


def owner_guard(vips: Sequence[IPv4Address], peer: IPv4Address | None) -> PeerGuard | None:
    """Keeps the owner of `vips` untouched while the machine at `peer` does not answer `healthy` on
    `HEALTH_PORT`; nothing for a machine without a peer."""
    if peer is None:
        return None
    return PeerGuard(
        vips=tuple(str(vip) for vip in vips),
        probe=("/bin/bash", "-c", _ASK_PEER, "ask-peer", str(peer), str(HEALTH_PORT)),
    )

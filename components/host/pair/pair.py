"""Which machine of a pair owns what, who its peer is, and who is changed first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Generic, Protocol, TypeVar

from components.host.part import PeerGuard

OWNER_PRIORITY = 250
BACKUP_PRIORITY = 200
"""VRRP priorities. High, since a backup waits (256 - priority)/256 of an advert interval on top of
three of them, and just that after a farewell (RFC 5798, section 6.1, Skew_Time). A tracker has
weight 0 (it faults the group), or one that exceeds the gap between them: then the backup is
preferred while only the owner lacks something."""

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
    """Two machines that share the addresses of `vips` by VRRP; or one, which then owns them."""

    members: tuple[M, ...]
    vips: tuple[V, ...]

    def member(self, name: str) -> M:
        """The machine called `name`; `KeyError` when there is none."""
        for member in self.members:
            if member.name == name:
                return member
        raise KeyError(name)

    def peer(self, name: str) -> M | None:
        """The other machine; `None` when there is one only."""
        return next((member for member in self.members if member.name != name), None)

    def rank(self, name: str) -> int:
        """The place of `name` among the members: who comes first where nothing else decides."""
        return [member.name for member in self.members].index(name)

    def priority(self, vip: V, name: str) -> int:
        """The VRRP priority of `name` in `vip`."""
        return OWNER_PRIORITY if vip.owner == name else BACKUP_PRIORITY

    def rollout(self) -> tuple[M, ...]:
        """The machines in the order they are changed: who owns no VIP first."""
        owners = {vip.owner for vip in self.vips}
        return tuple(sorted(self.members, key=lambda member: member.name in owners))


def owner_guard(vips: Sequence[IPv4Address], peer: IPv4Address | None) -> PeerGuard | None:
    """Keeps the owner of `vips` untouched while the machine at `peer` does not answer `healthy` on
    `HEALTH_PORT`; nothing for a machine without a peer."""
    if peer is None:
        return None
    return PeerGuard(
        vips=tuple(str(vip) for vip in vips),
        probe=("/bin/bash", "-c", _ASK_PEER, "ask-peer", str(peer), str(HEALTH_PORT)),
    )

"""VRRP of a RouterOS router: a LAN instance that decides for its group, and a WAN one that follows.

Sources: MikroTik's manual, "VRRP" (group-authority: the authority alone advertises; a link that is
down at any member puts the whole group into the failure state; tracked connections are sent by one
VRRP interface of a group, preferably the authority) and /interface/vrrp in its CLI reference
(active-active: a port of its own for each group). Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from components.routers.model import Router, RoutersModel

PORT = 8275
"""UDP: tracked connections of the first group; the next group has the next (/interface/vrrp,
connection-tracking-port)."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One VRRP interface: `settings` are words `KEY=VALUE`; `authority` is what it follows, in
    quotes."""

    name: str
    interface: str
    vrid: int
    authority: str
    settings: tuple[str, ...]
    vips: tuple[IPv4Address, ...]


def instances(model: RoutersModel, router: Router) -> tuple[Instance, ...]:
    """Both of every group, the LAN's first: it must be there before the WAN's can follow it."""
    made: list[Instance] = []
    for index, vip in enumerate(model.vips):
        common = (
            "version=3",
            "v3-protocol=ipv4",
            f"priority={model.priority(vip, router.name)}",
            f"interval={_milliseconds(model.vrrp.advert_interval)}",
            f"preemption-mode={'yes' if model.vrrp.preempt else 'no'}",
        )
        lan, wan = (f"layered-{vip.name}-{leg}" for leg in ("lan", "wan"))
        made += [
            Instance(
                name=lan,
                interface=router.lan.interface,
                vrid=vip.lan_vrid,
                authority='"self"',
                settings=(
                    *(f'interface="{router.lan.interface}"', f"vrid={vip.lan_vrid}", *common),
                    *_tracking(model, router, index),
                ),
                vips=tuple(vip.lan),
            ),
            Instance(
                name=wan,
                interface=router.wan.interface,
                vrid=vip.wan_vrid,
                authority=f'"{lan}"',
                settings=(
                    *(f'interface="{router.wan.interface}"', f"vrid={vip.wan_vrid}", *common),
                    "sync-connection-tracking=no",
                ),
                vips=tuple(vip.wan),
            ),
        ]
    return tuple(made)


def ports(model: RoutersModel) -> tuple[int, ...]:
    """UDP ports on which tracked connections arrive from the peer; none of a router alone."""
    if len(model.members) == 1:
        return ()
    return tuple(PORT + index for index in range(len(model.vips) if _both_at_work(model) else 1))


def _both_at_work(model: RoutersModel) -> bool:
    return len({vip.owner for vip in model.vips}) > 1


def _tracking(model: RoutersModel, router: Router, index: int) -> tuple[str, ...]:
    link = model.link(router.name)
    if link is None or index >= len(ports(model)):
        return ("sync-connection-tracking=no",)
    mode = "active-active" if _both_at_work(model) else "passive-active"
    return (
        "sync-connection-tracking=yes",
        f"remote-address={link.theirs.ip}",
        f"connection-tracking-mode={mode}",
        f"connection-tracking-port={PORT + index}",
    )


def _milliseconds(value: float) -> str:
    """A time as RouterOS writes it: `300ms`, `1s`, `2s500ms`."""
    whole, rest = divmod(round(value * 1000), 1000)
    return (f"{whole}s" if whole else "") + (f"{rest}ms" if rest else "")

"""Tracked connections of a VyOS router, and that its peer knows them. Pure.

Sources: VyOS' documentation, configuration/system/conntrack, configuration/service/conntrack-sync
(FTFW over UDP where a peer is named; connections of the other router wait in a cache that the VRRP
sync group's transition commits) and configuration/system/sysctl.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.routers.model import Link, Router, RoutersModel
from components.routers.vyos.section import Section, each, under

PORT: Final = 3780
"""UDP: tracked connections from the peer (configuration/service/conntrack-sync, port)."""

_PARAMETERS: Final[Mapping[str, int]] = {
    # A connection taken over from the peer has window numbers this kernel never saw.
    "net.netfilter.nf_conntrack_tcp_be_liberal": 1,
    # Each leg answers ARP for its own addresses only.
    "net.ipv4.conf.all.arp_ignore": 1,
    "net.ipv4.conf.all.arp_announce": 2,
}


def section(model: RoutersModel, router: Router) -> Section:
    """What the kernel tracks, and how long; in a pair, what it tells the peer."""
    link = model.link(router.name)
    limits = model.limits
    return Section(
        owned=(
            *("system conntrack table-size", "system conntrack timeout tcp established"),
            *("system conntrack tcp loose", "system conntrack ignore ipv4"),
            "service conntrack-sync",
            *(f"system sysctl parameter {name}" for name in _PARAMETERS),
        ),
        lines=(
            *under(
                "system conntrack",
                ("table-size", limits.conntrack_max),
                ("timeout", "tcp", "established", limits.established_timeout),
                ("tcp", "loose", "enable"),
            ),
            *(f"system conntrack ignore ipv4 {each}" for each in _untracked(model, router, link)),
            *(
                f"system sysctl parameter {name} value {value}"
                for name, value in _PARAMETERS.items()
            ),
            *(() if link is None else _told(model, link)),
        ),
    )


def _untracked(model: RoutersModel, router: Router, link: Link | None) -> Iterator[str]:
    """The routers' own talk would fill the table that it replicates; and of what the LAN sends to
    the pool the answers go past a router."""
    yield "rule 10 protocol vrrp"
    if link is not None:
        for number, to in ((20, link.ours.ip), (30, link.theirs.ip)):
            yield from under(
                f"rule {number}",
                ("protocol", "udp"),
                ("destination", "address", to),
                ("destination", "port", PORT),
            )
    if model.peering is not None and model.peering.behind:
        yield from under(
            "rule 40",
            ("inbound-interface", router.lan.interface),
            ("source", "address", router.lan.address.network),
            ("destination", "group", "network-group", "layered-pool"),
        )


def _told(model: RoutersModel, link: Link) -> Iterator[str]:
    own = [leg.ip for each_ in model.members for leg in each_.legs()]
    path = "service conntrack-sync"
    yield from under(
        path,
        ("interface", link.ours.interface, "peer", link.theirs.ip),
        ("listen-address", link.ours.ip),
        ("failover-mechanism", "vrrp", "sync-group", model.vips[0].name),
        ("startup-resync",),
    )
    yield from each(f"{path} accept-protocol", ("tcp", "udp", "icmp"))
    # What a router itself takes part in is of no use to its peer.
    yield from each(f"{path} ignore-address", sorted({*own, *model.public, *model.gateways}))
    if len(model.vips) > 1:
        # The transition of one group commits for all: with several, connections do not wait for it.
        yield f"{path} disable-external-cache"

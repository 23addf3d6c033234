"""Routes that a VyOS router learns and announces by BGP, with BFD. Pure.

VyOS runs FRRouting, and writes its configuration of these. Sources: VyOS' documentation,
configuration/protocols/bgp and bfd, configuration/policy/prefix-list and route-map,
configuration/system/ip; a network is announced whether or not there is a route to it (vyos-1x,
data/templates/frr/bgpd.frr.j2, `no bgp network import-check`).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from components.host.bgp import Neighbours, Peering, Prefixes
from components.routers.model import Router, RoutersModel
from components.routers.vyos.section import Section, each, under

_BFD: Final = "layered"
_LINKDOWN: Final = "system sysctl parameter net.ipv4.conf.all.ignore_routes_with_linkdown"
_ALL: Final = IPv4Network("0.0.0.0/0")
_CONNECT: Final = 5
"""Seconds until a session that was refused is tried again."""


def section(model: RoutersModel, router: Router) -> Section:
    """All of `protocols bgp` and `protocols bfd`, the lists and maps of `policy` that they use, and
    several ways to one destination. What no stack asks for is emptied all the same, so that a
    session ends with its key."""
    peering = model.peering
    return Section(
        owned=(
            *("protocols bgp", "protocols bfd", "policy prefix-list", "policy route-map"),
            *("system ip multipath", _LINKDOWN),
        ),
        lines=() if peering is None else tuple(_lines(peering, router)),
    )


def _lines(peering: Peering, router: Router) -> Iterator[str]:
    for group in peering.neighbours:
        yield from _believed(peering, group)
        yield from _told(group)
    if peering.with_bfd:
        yield from under(
            f"protocols bfd profile {_BFD} interval",
            ("multiplier", peering.bfd.multiplier),
            ("receive", peering.bfd.interval),
            ("transmit", peering.bfd.interval),
        )
    yield from under(
        "protocols bgp",
        ("system-as", peering.asn),
        ("parameters", "router-id", router.lan.ip),
        ("parameters", "log-neighbor-changes"),
        *((("parameters", "graceful-shutdown"),) if router.name in peering.drained else ()),
        ("timers", "keepalive", peering.keepalive),
        ("timers", "holdtime", peering.hold),
    )
    family = "protocols bgp address-family ipv4-unicast"
    yield from each(f"{family} network", (announced.network for announced in peering.announce))
    yield f"{family} maximum-paths ebgp {peering.multipath}"
    for group in peering.neighbours:
        yield from _sessions(peering, group, router)
    # A connection keeps its way, and none leads over a link that is down.
    yield "system ip multipath layer4-hashing"
    yield f"{_LINKDOWN} value 1"


def _sessions(peering: Peering, group: Neighbours, router: Router) -> Iterator[str]:
    yield from under(
        f"protocols bgp peer-group {group.name}",
        ("remote-as", group.asn),
        ("update-source", peering.end(group.network, router.name).address),
        *((("bfd", "profile", _BFD),) if group.bfd else ()),
        ("address-family", "ipv4-unicast", "route-map", "import", f"{group.name}-in"),
        ("address-family", "ipv4-unicast", "route-map", "export", f"{group.name}-out"),
    )
    for end in group.members:
        yield from under(
            f"protocols bgp neighbor {end.address}",
            ("peer-group", group.name),
            ("description", end.name),
            ("timers", "connect", _CONNECT),
        )


def _believed(peering: Peering, group: Neighbours) -> Iterator[str]:
    """The list and the map of what a router takes from a neighbour."""
    name = f"{group.name}-in"
    # A provider is believed nothing about ranges of ours.
    denied = peering.own if group.network == "wan" else ()
    rules = (
        *(("deny", Prefixes(network=own, shortest=own.prefixlen, longest=32)) for own in denied),
        *(("permit", taken) for taken in dict.fromkeys(group.takes)),
        ("deny", Prefixes(network=_ALL, shortest=0, longest=32)),
    )
    for number, (action, prefixes) in enumerate(rules, start=1):
        yield from _listed(name, number, action, prefixes)
    yield from under(
        f"policy route-map {name} rule 10",
        ("action", "permit"),
        ("match", "ip", "address", "prefix-list", name),
    )


def _told(group: Neighbours) -> Iterator[str]:
    """The lists and the map of what a router gives a neighbour, each with its next hop."""
    name = f"{group.name}-out"
    if not group.gives:
        yield f"policy route-map {name} rule 10 action deny"
    for number, given in enumerate(group.gives, start=1):
        own, length = f"{name}-{number}", given.network.prefixlen
        exact = Prefixes(network=given.network, shortest=length, longest=length)
        yield from _listed(own, 1, "permit", exact)
        yield from under(
            f"policy route-map {name} rule {10 * number}",
            ("action", "permit"),
            ("match", "ip", "address", "prefix-list", own),
            *(() if given.next_hop is None else (("set", "ip-next-hop", given.next_hop),)),
        )


def _listed(name: str, number: int, action: str, prefixes: Prefixes) -> Iterator[str]:
    length = prefixes.network.prefixlen
    yield from under(
        f"policy prefix-list {name} rule {10 * number}",
        ("action", action),
        ("prefix", prefixes.network),
        *((("ge", prefixes.shortest),) if prefixes.shortest > length else ()),
        *((("le", prefixes.longest),) if prefixes.longest > prefixes.shortest else ()),
    )

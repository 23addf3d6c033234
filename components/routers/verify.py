"""Cross-field sense of a pair of routers: what no single setting can say wrong by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from components.host.pair import Leg, advert_problems, segment_problems
from components.routers.model import Router, RoutersModel

WIDEST_CDN_PREFIX = 8
"""No CDN announces more than a /8; wider is a mistake that opens the origin to everybody."""


class RoutersError(ValueError):
    """The routers do not make sense; the message lists everything that is wrong, a line each."""


def verify(model: RoutersModel) -> None:
    """Raise `RoutersError` unless the routers can work together.

    Checks: groups owned by a router that exists, VRIDs unique per segment (RFC 5798, 5.2.3),
    VIPs in their segment and nobody's own address, peers on one subnet of each segment, the
    advert interval in centiseconds (RFC 5798, 5.2.7), a sync leg on both of a pair, a target for
    public requests, and management reachable from somewhere.
    """
    problems = [
        *_machines(model),
        *_groups(model),
        *_vrids(model),
        *_addresses(model),
        *_rules(model),
    ]
    if problems:
        raise RoutersError("\n".join(problems))


def cdn_ranges(ranges: Iterable[str]) -> tuple[IPv4Network, ...]:
    """The CDN's IPv4 ranges, sorted and without repetition.

    Raises `RoutersError` when there is none (an empty set would drop every request, so the last
    good one must stay), when one is no IPv4 network, or when one is so wide that it would let
    everybody in.
    """
    networks: set[IPv4Network] = set()
    problems: list[str] = []
    for text in ranges:
        try:
            network = IPv4Network(text)
        except (AddressValueError, NetmaskValueError, ValueError) as error:
            problems.append(f"cdn ranges: {text!r} is not an IPv4 network ({error})")
            continue
        if network.prefixlen < WIDEST_CDN_PREFIX:
            problems.append(
                f"cdn ranges: {network} is wider than a /{WIDEST_CDN_PREFIX}: it would let "
                "everybody reach the balancers past the CDN"
            )
        networks.add(network)
    if not networks and not problems:
        problems.append(
            "cdn ranges: the list is empty; the routers would drop every request. Nothing is "
            "pushed and the last good set stays: look at where the CDN's ranges come from"
        )
    if problems:
        raise RoutersError("\n".join(problems))
    return tuple(sorted(networks))


def _machines(model: RoutersModel) -> Iterator[str]:
    if not 1 <= len(model.routers) <= 2:
        yield f"routers: one or two machines, not {len(model.routers)}"
    names = [router.name for router in model.routers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"routers: two machines are called {name}"
    if len(model.routers) == 2:
        first, second = model.routers
        for router in model.routers:
            if router.sync is None:
                yield (
                    f"routers: {router.name} has no sync leg; a pair replicates its connections "
                    "over one of its own: give both a `sync` address"
                )
        for segment, ours, theirs in _segments(first, second):
            for wrong in segment_problems(first.name, second.name, segment, ours, theirs):
                yield f"routers: {wrong}"


def _segments(first: Router, second: Router) -> Iterator[tuple[str, Leg, Leg]]:
    yield "management", first.management, second.management
    yield "lan", first.lan, second.lan
    yield "wan", first.wan, second.wan
    if first.sync is not None and second.sync is not None:
        yield "sync", first.sync, second.sync


def _groups(model: RoutersModel) -> Iterator[str]:
    names = {router.name for router in model.routers}
    if not model.vips:
        yield "routers: no VIP group; there is nothing to fail over"
    for vip in model.vips:
        if vip.owner not in names:
            known = ", ".join(sorted(names))
            yield (
                f"routers: {vip.name} is owned by {vip.owner}, which is no router "
                f"(there are {known})"
            )
        if not vip.wan or not vip.lan:
            yield f"routers: {vip.name} needs a WAN and a LAN address"
    for wrong in advert_problems(model.vrrp.advert_interval):
        yield f"routers: {wrong}"


def _vrids(model: RoutersModel) -> Iterator[str]:
    for segment in ("wan", "lan"):
        seen: dict[int, str] = {}
        for vip in model.vips:
            vrid = vip.wan_vrid if segment == "wan" else vip.lan_vrid
            if vrid in seen:
                yield f"routers: {vip.name} and {seen[vrid]} both use VRID {vrid} on the {segment}"
            seen.setdefault(vrid, vip.name)


def _addresses(model: RoutersModel) -> Iterator[str]:
    taken: dict[IPv4Address, str] = {
        leg.ip: router.name for router in model.routers for leg in router.legs()
    }
    for vip in model.vips:
        for segment, addresses in (("wan", vip.wan), ("lan", vip.lan)):
            for address in addresses:
                if address in taken:
                    yield f"routers: {address} of {vip.name} is already {taken[address]}'s"
                taken.setdefault(address, vip.name)
                for router in model.routers:
                    leg = router.wan if segment == "wan" else router.lan
                    if segment == "lan" and address not in leg.address.network:
                        yield (
                            f"routers: {address} of {vip.name} is not in {leg.address.network}, "
                            f"the {segment} of {router.name}: nobody there could use it as gateway"
                        )


def _rules(model: RoutersModel) -> Iterator[str]:
    if not model.balancers:
        yield "routers: no balancer VIP to forward public requests to"
    for address in model.balancers:
        if address in model.gateways or address in model.public:
            yield f"routers: {address} is a VIP of the routers and of the balancers"
        for router in model.routers:
            if address not in router.lan.address.network:
                yield (
                    f"routers: the balancers' {address} is not in {router.lan.address.network}, "
                    f"the lan of {router.name}: it could not be reached directly"
                )
    if not model.public_ports:
        yield "routers: no public port is forwarded"
    if not model.management_sources:
        yield "routers: nobody may reach sshd; management_sources must name at least one network"

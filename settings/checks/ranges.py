"""Ranges: segments, pods, services, the load balancers' pool and the CDN's lists, kept apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

from settings.checks.addresses import edge_of
from settings.checks.claims import claims, ranges, segments
from settings.checks.registry import reads
from settings.models.cdn import WIDEST_CDN_PREFIX, RangesRefused, usable_ranges
from settings.models.cluster import AddressRange
from settings.models.stack import Stack
from settings.problems import Problem, problem

_SPECIAL = {
    IPv4Network("0.0.0.0/8"): "this network (RFC 1122)",
    IPv4Network("127.0.0.0/8"): "loopback (RFC 1122)",
    IPv4Network("169.254.0.0/16"): "link-local (RFC 3927)",
    IPv4Network("224.0.0.0/3"): "multicast or reserved (RFC 5771, RFC 1112)",
}
_INTERNET_MTU = 1500


def overlapping(
    named: Sequence[tuple[str, IPv4Network]],
) -> Iterator[tuple[tuple[str, IPv4Network], tuple[str, IPv4Network]]]:
    """Every pair of ranges that share an address, the earlier of the pair first."""
    for index, earlier in enumerate(named):
        for later in named[index + 1 :]:
            if earlier[1].overlaps(later[1]):
                yield earlier, later


@reads("networks")
def ranges_are_apart(stack: Stack) -> Iterator[Problem]:
    """Segments, pods and services never share an address."""
    for (first, one), (second, other) in overlapping(ranges(stack.networks)):
        yield problem(second, other, f"overlaps {first} ({one})", "give each a range of its own")


@reads("networks")
def ranges_are_ordinary(stack: Stack) -> Iterator[Problem]:
    """No range of the stack is loopback, link-local, multicast or reserved."""
    for path, network in ranges(stack.networks):
        for special, meaning in _SPECIAL.items():
            if network.overlaps(special):
                yield problem(
                    path, network, f"is {meaning}", "use private or public unicast addresses"
                )


@reads("networks")
def segments_are_separate_wires(stack: Stack) -> Iterator[Problem]:
    """Two segments on one bridge need different VLANs: VRRP and ARP would mix."""
    seen: dict[tuple[str, int | None], str] = {}
    for name, segment in segments(stack.networks):
        wire = (segment.bridge, segment.vlan)
        earlier = seen.setdefault(wire, name)
        if earlier != name:
            vlan = f"VLAN {segment.vlan}" if segment.vlan is not None else "without a VLAN"
            yield problem(
                f"networks.{name}.bridge",
                segment.bridge,
                f"({vlan}) carries networks.{earlier} already",
                "give each segment a bridge or a VLAN of its own",
            )


@reads("networks")
def packets_fit(stack: Stack) -> Iterator[Problem]:
    """What comes in over the WAN fits the LAN, and what leaves fits the internet.

    The pods use the LAN's MTU as it is: native routing, no overlay.
    """
    wan, lan = stack.networks.wan.mtu, stack.networks.lan.mtu
    if wan > _INTERNET_MTU:
        yield problem(
            "networks.wan.mtu", wan, "is more than the internet carries", "write 1500 or less"
        )
    if lan < wan:
        yield problem(
            "networks.lan.mtu",
            lan,
            f"is less than networks.wan.mtu ({wan}): full inbound packets would not fit",
            f"write at least {wan}",
        )


@reads("networks")
def wan_addressing_is_supported(stack: Stack) -> Iterator[Problem]:
    """Each router has an address of its own beside the VIP."""
    addressing = stack.networks.wan.addressing
    if addressing == "per-router":
        return
    wrong = (
        "(one public address for both routers) is not supported"
        if addressing == "vip-only"
        else "is not a way of addressing"
    )
    yield problem(
        "networks.wan.addressing",
        addressing,
        wrong,
        "write per-router, and give each router its own WAN address beside the VIP",
    )


def _text(pool: AddressRange) -> str:
    return f"{pool.first}-{pool.last}"


@reads("networks", "platform")
def pool_is_on_the_lan(stack: Stack) -> Iterator[Problem]:
    """MetalLB announces by ARP (L2), so the balancers must see the pool on their own segment."""
    lan = stack.networks.lan.cidr
    pools = stack.platform.metallb.pool
    for index, pool in enumerate(pools):
        path = f"platform.metallb.pool[{index}]"
        for end, address in (("first", pool.first), ("last", pool.last)):
            edge = edge_of(address, lan)
            if address not in lan:
                wrong = f"is outside networks.lan ({lan})"
            elif edge is not None:
                wrong = f"is {edge} of networks.lan ({lan})"
            else:
                continue
            yield problem(
                f"{path}.{end}", address, wrong, f"keep the pool on host addresses of {lan}"
            )
        for earlier, other in enumerate(pools[:index]):
            if other.first <= pool.last and pool.first <= other.last:
                yield problem(
                    path,
                    _text(pool),
                    f"overlaps platform.metallb.pool[{earlier}] ({_text(other)})",
                    "join the two ranges or move one",
                )
    wanted = stack.platform.ingress.load_balancer_ip
    if wanted is not None and not any(pool.first <= wanted <= pool.last for pool in pools):
        yield problem(
            "platform.ingress.load_balancer_ip",
            wanted,
            f"is outside platform.metallb.pool ({', '.join(_text(pool) for pool in pools)})",
            "choose an address of the pool, or null to let MetalLB choose",
        )


@reads("networks", "platform")
def pool_is_free(stack: Stack) -> Iterator[Problem]:
    """MetalLB would hand out, and answer ARP for, a machine's or a VIP's address."""
    for claim in claims(stack):
        for index, pool in enumerate(stack.platform.metallb.pool):
            if pool.first <= claim.address <= pool.last:
                yield problem(
                    claim.path,
                    claim.address,
                    f"is inside platform.metallb.pool[{index}] ({_text(pool)})",
                    f"move {claim.owner} or shrink the pool",
                )


@reads("networks", "routers")
def management_sources_are_local(stack: Stack) -> Iterator[Problem]:
    """The management leg is never the default route: an answer to elsewhere would be lost."""
    management = stack.networks.management.cidr
    for index, source in enumerate(stack.routers.management_sources):
        if not source.subnet_of(management):
            yield problem(
                f"routers.management_sources[{index}]",
                source,
                f"is not part of networks.management ({management})",
                f"write a part of {management}: the management leg has no route to elsewhere",
            )


@reads("networks", "cdn")
def cdn_ranges_are_the_cdns(stack: Stack) -> Iterator[Problem]:
    """Never empty, never everybody, never ourselves: these sources' client header is believed."""
    cdn = stack.cdn
    if cdn.kind == "cloudflare":
        if cdn.range_list:
            yield problem(
                "cdn.range_list",
                [str(each) for each in cdn.range_list],
                "is not used while cdn.kind is cloudflare",
                "remove it, or set cdn.kind to listed",
            )
        return
    if not cdn.range_list:
        yield problem(
            "cdn.range_list",
            [],
            "is empty: nobody could reach the service",
            "list the CDN's IPv4 ranges, or set cdn.kind to cloudflare",
        )
    ours = ranges(stack.networks)
    narrow: list[str] = []
    for index, given in enumerate(cdn.range_list):
        path = f"cdn.range_list[{index}]"
        if not _usable([str(given)]):
            yield problem(
                path,
                given,
                "is no CDN's range: it would let everybody in and believe their client header",
                "list the CDN's own ranges",
            )
            continue
        narrow.append(str(given))
        for name, network in ours:
            if given.overlaps(network):
                yield problem(
                    path, given, f"overlaps {name} ({network})", "list the CDN's own ranges only"
                )
    if narrow and not _usable(narrow):
        yield problem(
            "cdn.range_list",
            f"{len(narrow)} ranges",
            f"take more than a /{WIDEST_CDN_PREFIX} together: they would let everybody in",
            "list the CDN's own ranges",
        )


def _usable(ranges: list[str]) -> bool:
    try:
        usable_ranges(ranges, "cdn.range_list")
    except RangesRefused:
        return False
    return True

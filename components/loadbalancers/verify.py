"""Cross-field sense of the balancers: what no single setting can say wrong by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from components.host.pair import advert_problems, segment_problems
from components.loadbalancers.model import (
    ALIVE_PORT,
    HEALTH_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    BaseModel,
    RoutesModel,
)

WIDEST_CDN_PREFIX = 8
"""No CDN announces more than a /8; wider would let everybody claim any client address."""


class BalancersError(ValueError):
    """The balancers do not make sense; the message lists everything wrong, a line each."""


def verify_base(model: BaseModel) -> None:
    """Raise `BalancersError` unless the balancers can work together.

    Checks: groups owned by a balancer that exists, VRIDs unique on the LAN (RFC 5798, 5.2.3),
    VIPs in their segment and nobody's own address, peers on one subnet, the advert interval in
    centiseconds (RFC 5798, 5.2.7), ways back in reach, ports free of each other, and a control
    plane to send to.
    """
    _raise(
        [
            *_machines(model),
            *_groups(model),
            *_addresses(model),
            *_ways_back(model),
            *_ports(model),
        ]
    )


def verify_routes(model: RoutesModel) -> None:
    """Raise `BalancersError` unless requests have somewhere to go."""
    problems: list[str] = []
    if not model.lan_vips:
        problems.append("loadbalancers: no LAN VIP to receive requests on")
    if model.target == "node-port":
        if not model.nodes:
            problems.append("loadbalancers: target is node-port, but there is no node")
        ports = {"HTTP": model.http_port, "HTTPS": model.https_port}
        problems += [
            f"loadbalancers: target is node-port, but the ingress has no NodePort for {scheme}"
            for scheme, port in ports.items()
            if port is None
        ]
    elif model.load_balancer_ip is None:
        problems.append(
            "loadbalancers: target is load-balancer-ip, but the ingress has no address of its own"
        )
    elif model.load_balancer_ip in model.lan_vips:
        problems.append(
            f"loadbalancers: {model.load_balancer_ip} is a VIP of the balancers and the ingress' "
            "own address: requests would go round in circles"
        )
    names = [node.name for node in model.nodes]
    problems += [
        f"loadbalancers: two nodes are called {name}"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    _raise(problems)


def cdn_ranges(ranges: Iterable[str]) -> tuple[IPv4Network, ...]:
    """The CDN's IPv4 ranges, sorted and without repetition: who may name a client's address.

    Raises `BalancersError` when there is none, when one is no IPv4 network, or when one is so
    wide that anybody could claim to be any client.
    """
    networks: set[IPv4Network] = set()
    problems: list[str] = []
    for text in ranges:
        try:
            network = IPv4Network(text)
        except ValueError as error:
            problems.append(f"cdn ranges: {text!r} is not an IPv4 network ({error})")
            continue
        if network.prefixlen < WIDEST_CDN_PREFIX:
            problems.append(
                f"cdn ranges: {network} is wider than a /{WIDEST_CDN_PREFIX}: anybody could claim "
                "to be any client"
            )
        networks.add(network)
    if not networks and not problems:
        problems.append(
            "cdn ranges: the list is empty; every request would seem to come from the CDN itself. "
            "Nothing is pushed and the last good list stays: look at where the ranges come from"
        )
    _raise(problems)
    return tuple(sorted(networks))


def _raise(problems: list[str]) -> None:
    if problems:
        raise BalancersError("\n".join(problems))


def _machines(model: BaseModel) -> Iterator[str]:
    if not 1 <= len(model.balancers) <= 2:
        yield f"loadbalancers: one or two machines, not {len(model.balancers)}"
    names = [balancer.name for balancer in model.balancers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"loadbalancers: two machines are called {name}"
    if len(model.balancers) == 2:
        first, second = model.balancers
        for segment, ours, theirs in (
            ("management", first.management, second.management),
            ("lan", first.lan, second.lan),
        ):
            for wrong in segment_problems(first.name, second.name, segment, ours, theirs):
                yield f"loadbalancers: {wrong}"
    if not model.control_planes:
        yield "loadbalancers: no control plane to send API requests to"


def _groups(model: BaseModel) -> Iterator[str]:
    names = {balancer.name for balancer in model.balancers}
    if not model.vips:
        yield "loadbalancers: no VIP group; there is nothing to receive requests on"
    vrids: dict[int, str] = {}
    for vip in model.vips:
        if vip.owner not in names:
            known = ", ".join(sorted(names))
            yield (
                f"loadbalancers: {vip.name} is owned by {vip.owner}, which is no balancer "
                f"(there are {known})"
            )
        if vip.vrid in vrids:
            yield f"loadbalancers: {vip.name} and {vrids[vip.vrid]} both use VRID {vip.vrid}"
        vrids.setdefault(vip.vrid, vip.name)
        if not vip.lan or not vip.management:
            yield f"loadbalancers: {vip.name} needs a LAN and a management address"
    for wrong in advert_problems(model.vrrp.advert_interval):
        yield f"loadbalancers: {wrong}"


def _addresses(model: BaseModel) -> Iterator[str]:
    taken: dict[IPv4Address, str] = {}
    for balancer in model.balancers:
        taken |= {balancer.lan.ip: balancer.name, balancer.management.ip: balancer.name}
    taken |= {server.address: server.name for server in model.control_planes}
    for vip in model.vips:
        for segment, addresses in (("lan", vip.lan), ("management", vip.management)):
            for address in addresses:
                if address in taken:
                    yield f"loadbalancers: {address} of {vip.name} is already {taken[address]}'s"
                taken.setdefault(address, vip.name)
                for balancer in model.balancers:
                    leg = balancer.lan if segment == "lan" else balancer.management
                    if address not in leg.address.network:
                        yield (
                            f"loadbalancers: {address} of {vip.name} is not in "
                            f"{leg.address.network}, the {segment} of {balancer.name}"
                        )


def _ways_back(model: BaseModel) -> Iterator[str]:
    for address, gateway in model.ways_back.items():
        if address not in model.lan_vips:
            yield f"loadbalancers: {address} has a way back, but is no VIP of theirs"
        for balancer in model.balancers:
            if gateway not in balancer.lan.address.network:
                yield (
                    f"loadbalancers: {gateway}, the way back of {address}, is not in "
                    f"{balancer.lan.address.network}, the LAN of {balancer.name}"
                )


def _ports(model: BaseModel) -> Iterator[str]:
    taken = {
        HTTP_PORT: "HTTP",
        HTTPS_PORT: "HTTPS",
        ALIVE_PORT: "the check of the local HAProxy",
        HEALTH_PORT: "the peer's health",
    }
    for name, port in (("api_port", model.api_port), ("stats_port", model.stats_port)):
        if port in taken:
            yield f"loadbalancers: {name} {port} is taken by {taken[port]}"
        taken.setdefault(port, name)

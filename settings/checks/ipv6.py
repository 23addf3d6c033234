"""IPv6 beside IPv4: a visitor's way to the balancers has it from end to end, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.checks.claims import machines, segments
from settings.checks.registry import reads
from settings.checks.routers_kind import KINDS
from settings.models.balancers import BalancerVip
from settings.models.networks import Networks
from settings.models.routers import RouterVip
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem

_WAYS = ("wan", "lan")
"""The segments on a visitor's way."""


@reads("networks")
def a_visitors_way_has_both_families(stack: Stack) -> Iterator[Problem]:
    """WAN and LAN, and the provider's router behind them; no segment beside them."""
    networks = stack.networks
    for name, segment in segments(networks):
        if name not in _WAYS and segment.cidr6 is not None:
            yield problem(
                f"networks.{name}.cidr6",
                segment.cidr6,
                "is on no visitor's way: IPv6 is for the WAN and the LAN",
                "remove it",
            )
    wan, lan = networks.wan, networks.lan
    for mine, its, other in ((wan, "wan", lan), (lan, "lan", wan)):
        beside = "lan" if its == "wan" else "wan"
        if mine.cidr6 is None and other.cidr6 is not None:
            yield problem(
                f"networks.{its}.cidr6",
                None,
                f"ends the way by IPv6 that networks.{beside}.cidr6 ({other.cidr6}) begins",
                f"write the IPv6 network of the {its.upper()}, or remove networks.{beside}.cidr6",
            )
    if wan.cidr6 is not None and wan.gateway6 is None:
        yield problem(
            "networks.wan.gateway6",
            None,
            f"leaves no way back to visitors of networks.wan.cidr6 ({wan.cidr6})",
            "write the IPv6 address of the provider's router",
        )
    if wan.cidr6 is None and wan.gateway6 is not None:
        yield problem(
            "networks.wan.gateway6",
            wan.gateway6,
            "is not used while networks.wan.cidr6 is not set",
            "remove it, or set networks.wan.cidr6",
        )


@reads("networks")
def machines_on_a_visitors_way_have_both_families(stack: Stack) -> Iterator[Problem]:
    """Routers on both sides, balancers on the LAN; nobody behind them."""
    for path, role, spec in machines(stack):
        wanted = {"router": ("wan6", "lan6"), "balancer": ("lan6",)}.get(role, ())
        for network in _WAYS:
            key = f"{network}6"
            value, cidr6 = getattr(spec, key), getattr(stack.networks, network).cidr6
            if value is None and cidr6 is not None and key in wanted:
                yield problem(
                    f"{path}.{key}",
                    None,
                    f"leaves {spec.name} without IPv6 on networks.{network}",
                    f"give it an address of {cidr6} (networks.{network}.cidr6)",
                )
            elif value is not None and key not in wanted:
                yield problem(
                    f"{path}.{key}",
                    value,
                    f"is an address that a {role} does not need: behind the balancers all is IPv4",
                    "remove it",
                )
            elif value is not None and cidr6 is None:
                yield _nowhere(f"{path}.{key}", value, network)


@reads("networks")
def vips_on_a_visitors_way_have_both_families(stack: Stack) -> Iterator[Problem]:
    """The first group's of each layer: what another group's router lets in would be answered
    through the first one's."""
    for path, edge in walk(stack, RouterVip):
        yield from _held(stack.networks, path, "wan", edge.wan6)
        yield from _held(stack.networks, path, "lan", edge.lan6)
    for path, front in walk(stack, BalancerVip):
        yield from _held(stack.networks, path, "lan", front.lan6)


def _held(
    networks: Networks, group: str, network: str, given: Sequence[object]
) -> Iterator[Problem]:
    path, first = f"{group}.{network}6", group.endswith("[0]")
    cidr6 = getattr(networks, network).cidr6
    if given and not first:
        yield problem(
            path,
            list(map(str, given)),
            "is of a second group, and visitors by IPv6 come through the first",
            "write it in the first group",
        )
    elif given and cidr6 is None:
        yield _nowhere(f"{path}[0]", given[0], network)
    elif not given and first and cidr6 is not None:
        yield problem(
            path,
            [],
            f"is empty, though networks.{network}.cidr6 ({cidr6}) brings visitors by IPv6",
            f"write an address of {cidr6}",
        )


def _nowhere(path: str, value: object, network: str) -> Problem:
    return problem(
        path,
        value,
        f"stands on no network: networks.{network}.cidr6 is not set",
        f"remove it, or set networks.{network}.cidr6",
    )


@reads("networks", "cdn")
def a_listed_cdn_calls_by_both_families(stack: Stack) -> Iterator[Problem]:
    """What it calls by is let in, and nothing else is listed."""
    cdn = stack.cdn
    if not cdn.traits.listed:
        return
    sixth = [(at, each) for at, each in enumerate(cdn.range_list) if each.version == 6]
    if not stack.networks.ipv6:
        for index, each in sixth:
            yield problem(
                f"cdn.range_list[{index}]",
                each,
                "is IPv6, by which nobody comes while networks.wan.cidr6 is not set",
                "remove it, or set networks.wan.cidr6",
            )
    elif cdn.range_list and not sixth:
        yield problem(
            "cdn.range_list",
            f"{len(cdn.range_list)} ranges",
            f"have none of IPv6, and networks.wan.cidr6 ({stack.networks.wan.cidr6}) lets the "
            "CDN call by it",
            "list its IPv6 ranges too",
        )


@reads("networks", "routers")
def denied_sources_come_by_their_family(stack: Stack) -> Iterator[Problem]:
    """Who cannot come at all needs no denying."""
    if stack.networks.ipv6:
        return
    for index, each in enumerate(stack.routers.deny):
        if each.version == 6:
            yield problem(
                f"routers.deny[{index}]",
                each,
                "is IPv6, by which nobody comes to the routers while networks.wan.cidr6 is not set",
                "remove it, or set networks.wan.cidr6",
            )


@reads("networks", "routers")
def routers_take_visitors_by_ipv6(stack: Stack) -> Iterator[Problem]:
    """As their kind says."""
    kind = stack.routers.kind
    if stack.networks.ipv6 and not KINDS[kind].ipv6:
        able = " or ".join(word for word, asks in KINDS.items() if asks.ipv6)
        yield problem(
            "routers.kind",
            kind,
            "takes no visitors by IPv6, and networks.wan.cidr6 "
            f"({stack.networks.wan.cidr6}) is set",
            f"remove networks.wan.cidr6 and what belongs to it, or set routers.kind to {able}",
        )


@reads("networks", "routers")
def bgp_is_of_ipv4(stack: Stack) -> Iterator[Problem]:
    """The daemons turn IPv6 forwarding off, and have sessions of IPv4 alone."""
    if stack.networks.ipv6 and stack.routers.bgp is not None:
        yield problem(
            "routers.bgp",
            ABSENT,
            f"is of IPv4 alone, and networks.wan.cidr6 ({stack.networks.wan.cidr6}) is set",
            "remove one of the two",
        )

"""The routers' BGP: who speaks with whom, and what both would understand alike."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_BGP = "routers.bgp"


@reads("routers")
def bgp_has_neighbours(stack: Stack) -> Iterator[Problem]:
    """A daemon that nobody speaks with announces and learns nothing."""
    bgp = stack.routers.bgp
    if bgp is None:
        return
    if not bgp.upstream and bgp.inside is None and bgp.balancers is None:
        yield problem(
            f"{_BGP}.upstream", [], "leaves nobody to speak with", "add a provider, or inside"
        )
    elif bgp.announce and not bgp.upstream:
        yield problem(
            f"{_BGP}.announce",
            list(map(str, bgp.announce)),
            "is told to nobody: there is no upstream",
            "add the provider's router to upstream, or remove it",
        )


@reads("routers")
def neighbours_are_of_other_systems(stack: Stack) -> Iterator[Problem]:
    """Every session is an external one (RFC 4271, 5.1.3: the next hop is set, loops are seen)."""
    bgp = stack.routers.bgp
    if bgp is None:
        return
    asns = [(f"{_BGP}.upstream[{index}].asn", each.asn) for index, each in enumerate(bgp.upstream)]
    if bgp.inside is not None:
        asns.append((f"{_BGP}.inside.asn", bgp.inside.asn))
    if bgp.balancers is not None:
        asns.append((f"{_BGP}.balancers.asn", bgp.balancers.asn))
    for path, asn in asns:
        if asn == bgp.asn:
            yield problem(
                path,
                asn,
                f"is the routers' own ({_BGP}.asn)",
                "give the neighbours an AS number of their own, such as 64513",
            )


@reads("routers")
def balancers_are_a_system_of_their_own(stack: Stack) -> Iterator[Problem]:
    """Nodes, balancers and providers are believed different things, and told apart in what the
    routers show by their number alone."""
    bgp = stack.routers.bgp
    if bgp is None or bgp.balancers is None:
        return
    asns = {f"{_BGP}.upstream[{index}].asn": each.asn for index, each in enumerate(bgp.upstream)}
    if bgp.inside is not None:
        asns[f"{_BGP}.inside.asn"] = bgp.inside.asn
    for path, asn in asns.items():
        if asn == bgp.balancers.asn:
            yield problem(
                f"{_BGP}.balancers.asn",
                asn,
                f"is {path} already",
                "give the balancers an AS number of their own, such as 64514",
            )


@reads("routers")
def providers_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """One session between two addresses, and one password a name."""
    bgp = stack.routers.bgp
    seen: dict[tuple[str, object], int] = {}
    for index, each in enumerate([] if bgp is None else bgp.upstream):
        for key, value in (("name", each.name), ("address", each.address)):
            earlier = seen.setdefault((key, value), index)
            if earlier != index:
                yield problem(
                    f"{_BGP}.upstream[{index}].{key}",
                    value,
                    f"is that of {_BGP}.upstream[{earlier}] already",
                    f"give each provider's router its own {key}",
                )


@reads("routers")
def holds_for_three_signs_of_life(stack: Stack) -> Iterator[Problem]:
    """RFC 4271, 4.4: a third of the hold time is a reasonable keepalive interval, so that a lost
    packet ends no session."""
    bgp = stack.routers.bgp
    if bgp is not None and bgp.timers.hold < 3 * bgp.timers.keepalive:
        yield problem(
            f"{_BGP}.timers.hold",
            bgp.timers.hold,
            f"is less than three of keepalive ({bgp.timers.keepalive})",
            f"write {3 * bgp.timers.keepalive} or more",
        )


@reads("routers")
def drained_routers_are_routers(stack: Stack) -> Iterator[Problem]:
    """A name that is nobody's would drain nobody."""
    bgp, routers = stack.routers.bgp, [each.name for each in stack.routers.members]
    for index, name in enumerate([] if bgp is None else bgp.drained):
        if name not in routers:
            yield problem(
                f"{_BGP}.drained[{index}]", name, "is no router", f"write {' or '.join(routers)}"
            )


@doubts("routers")
def somebody_is_left_to_route(stack: Stack) -> Iterator[Problem]:
    """Neighbours that are asked to avoid every way avoid none."""
    bgp = stack.routers.bgp
    if bgp is not None and {each.name for each in stack.routers.members} <= set(bgp.drained):
        yield problem(
            f"{_BGP}.drained",
            bgp.drained,
            "names every router, so that no other way is left",
            "name the one that is about to stop",
        )


@reads("routers")
def one_router_answers_for_what_is_announced(stack: Stack) -> Iterator[Problem]:
    """What is announced leads to the VIP of the group whose addresses are in it, on the WAN's own
    subnet: there the connections are known, on whichever router it stands."""
    bgp, vips = stack.routers.bgp, stack.routers.vips
    for index, network in enumerate([] if bgp is None else bgp.announce):
        path = f"{_BGP}.announce[{index}]"
        held = [vip for vip in vips if any(address in network for address in vip.wan)] or vips[:1]
        if len(held) > 1:
            names = " and ".join(vip.name for vip in held)
            yield problem(
                path,
                network,
                f"holds public addresses of {names}, which may stand on two routers",
                "announce a network for each",
            )
        elif all(vip.routed or vip.owner != held[0].owner for vip in vips):
            yield problem(
                path,
                network,
                f"has no next hop: every VIP of {held[0].owner} is routed, none is on networks.wan",
                f"give {held[0].owner} a VIP on networks.wan",
            )

"""Networks and the routers' BGP: neighbours on the WAN, and nothing of ours handed out."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import claims, ranges, servers
from settings.checks.registry import reads
from settings.models.addresses import SPECIAL, overlap, subnet, within
from settings.models.stack import Stack
from settings.problems import Problem, problem

_EVERYTHING = subnet("0.0.0.0/0")


@reads("networks", "routers")
def providers_are_on_the_wan(stack: Stack) -> Iterator[Problem]:
    """Sessions cross no router (RFC 4271, 5.1.3), and end at nobody of ours. The provider's router
    may be the gateway."""
    bgp = stack.routers.bgp
    wan = stack.networks.wan
    ours = {each.address: each.owner for each in claims(stack) if each.address != wan.gateway}
    for index, each in enumerate([] if bgp is None else bgp.upstream):
        path = f"routers.bgp.upstream[{index}].address"
        if wan.subnet_of(each.address) is None:
            yield problem(
                path,
                each.address,
                f"is outside networks.wan ({wan.written})",
                "write the address of the provider's router on the WAN",
            )
        elif (edge := wan.edge_of(each.address)) is not None:
            yield problem(
                path,
                each.address,
                f"is {edge} of networks.wan ({wan.written})",
                "write the address of the provider's router",
            )
        elif each.address in ours:
            yield problem(
                path,
                each.address,
                f"is {ours[each.address]}'s",
                "write the address of the provider's router",
            )


@reads("networks", "routers")
def what_is_announced_is_ours_to_announce(stack: Stack) -> Iterator[Problem]:
    """The routers end what they announce and nobody answers for: it holds no server that they ask,
    and nothing that is nobody's."""
    bgp = stack.routers.bgp
    asked = dict(servers(stack.networks))
    for index, network in enumerate([] if bgp is None else bgp.announce):
        path = f"routers.bgp.announce[{index}]"
        right = "announce the network that the provider assigned"
        if network == _EVERYTHING:
            yield problem(path, network, "is the default route, which is the provider's", right)
            continue
        wrong = [
            f"overlaps {each}, {words}" for each, words in SPECIAL.items() if overlap(network, each)
        ]
        wrong += [
            f"holds {key} ({each}), which is elsewhere"
            for key, each in asked.items()
            if each in network
        ]
        for each in wrong[:1]:
            yield problem(path, network, each, right)


@reads("networks", "routers")
def ranges_inside_are_announced_to_nobody(stack: Stack) -> Iterator[Problem]:
    """A provider that knew a way to them would bring what the routers drop."""
    bgp = stack.routers.bgp
    for index, network in enumerate([] if bgp is None else bgp.announce):
        inside = [each for each in ranges(stack.networks) if overlap(network, each[1])]
        for name, own in inside[:1] if network != _EVERYTHING else ():
            more = f" and {len(inside) - 1} more" if inside[1:] else ""
            yield problem(
                f"routers.bgp.announce[{index}]",
                network,
                f"overlaps {name} ({own}){more}, which nobody outside may reach",
                "announce the network that the provider assigned",
            )


@reads("networks", "routers")
def what_is_accepted_is_elsewhere(stack: Stack) -> Iterator[Problem]:
    """Nothing of the stack's own is ever taken from a provider."""
    bgp = stack.routers.bgp
    for index, each in enumerate([] if bgp is None else bgp.upstream):
        for place, network in enumerate(each.accept):
            for name, own in ranges(stack.networks):
                if within(network, own):
                    yield problem(
                        f"routers.bgp.upstream[{index}].accept[{place}]",
                        network,
                        f"is inside {name} ({own}), of which nothing is taken",
                        "write networks that are behind the provider",
                    )


@reads("networks", "balancers")
def addresses_of_the_service_are_on_no_segment(stack: Stack) -> Iterator[Problem]:
    """On a segment its machines would ask for them by ARP, which no balancer answers; elsewhere
    somebody else would be meant."""
    for index, each in enumerate(stack.balancers.reach.vips):
        path, right = f"balancers.reach.vips[{index}]", "write an address outside every range"
        for name, network in ranges(stack.networks):
            if each in network:
                yield problem(
                    path,
                    each,
                    f"is inside {name} ({network}), where nobody would ask a router for it",
                    right,
                )
        for special, words in SPECIAL.items():
            if each in special:
                yield problem(path, each, f"is {words}", right)

"""Who is denied: nobody that the stack itself depends on."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import servers
from settings.checks.registry import reads
from settings.models.addresses import LINK_LOCAL, AnyAddress, overlap
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "routers")
def denied_sources_leave_the_provider(stack: Stack) -> Iterator[Problem]:
    """Without answers of the provider's router, of its BGP, of the servers that everybody asks, and
    without the other router's adverts nothing works; who is inside never comes from the WAN, and is
    refused there anyway."""
    routers, wan = stack.routers, stack.networks.wan
    needed: list[tuple[str, AnyAddress]] = [
        ("networks.wan.gateway", wan.gateway),
        *_speakers(stack),
        *servers(stack.networks),
    ]
    if wan.gateway6 is not None:
        needed.append(("networks.wan.gateway6", wan.gateway6))
    for index, each in enumerate(routers.deny):
        path, right = f"routers.deny[{index}]", "write a network without it"
        held = [(key, address) for key, address in needed if address in each]
        for key, address in held[:1]:
            more = f" and {len(held) - 1} more" if held[1:] else ""
            wrong = f"holds {key} ({address}){more}, which answers the routers"
            yield problem(path, each, wrong, right)
        if not held and wan.cidr6 is not None and overlap(each, LINK_LOCAL):
            wrong = f"holds addresses of {LINK_LOCAL}, by which neighbours on the WAN are found"
            yield problem(path, each, wrong, right)
        for key, address in [] if held else _pair(stack):
            if address in each:
                wrong = f"holds {key} ({address}), whose adverts the other router would not hear: "
                yield problem(path, each, f"{wrong}both would take the addresses", right)
                break


def _pair(stack: Stack) -> Iterator[tuple[str, AnyAddress]]:
    routers = stack.routers
    if len(routers.members) > 1:
        for key in ("machines", "physical"):
            for index, each in enumerate(getattr(routers, key)):
                if each.wan is not None:
                    yield f"routers.{key}[{index}].wan", each.wan


def _speakers(stack: Stack) -> Iterator[tuple[str, AnyAddress]]:
    bgp = stack.routers.bgp
    for index, each in enumerate([] if bgp is None else bgp.upstream):
        yield f"routers.bgp.upstream[{index}].address", each.address

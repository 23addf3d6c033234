"""Networks and who is denied: nobody that the stack itself depends on."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "routers")
def denied_sources_leave_the_provider(stack: Stack) -> Iterator[Problem]:
    """Without answers of the provider's router, of its BGP, or of whole address space, nothing
    works; who is inside never comes from the WAN, and is refused there anyway."""
    routers, wan = stack.routers, stack.networks.wan
    needed: list[tuple[str, object]] = [("networks.wan.gateway", wan.gateway), *_speakers(stack)]
    if wan.gateway6 is not None:
        needed.append(("networks.wan.gateway6", wan.gateway6))
    for index, each in enumerate(routers.deny):
        for path, address in needed:
            if address in each:
                yield problem(
                    f"routers.deny[{index}]",
                    each,
                    f"holds {path} ({address}), which answers the routers",
                    "write a network without it",
                )


def _speakers(stack: Stack) -> Iterator[tuple[str, object]]:
    bgp = stack.routers.bgp
    for index, each in enumerate([] if bgp is None else bgp.upstream):
        yield f"routers.bgp.upstream[{index}].address", each.address

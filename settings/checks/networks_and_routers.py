"""Networks and the routers: what is routed to them, and who may manage them."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import ranges
from settings.checks.registry import reads
from settings.models.addresses import SPECIAL, AnyAddress, within
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "routers")
def management_sources_are_local(stack: Stack) -> Iterator[Problem]:
    """The management leg is never the default route: an answer to elsewhere would be lost."""
    management = stack.networks.management
    for index, source in enumerate(stack.routers.management_sources):
        if not any(within(source, each) for each in management.subnets.values()):
            yield problem(
                f"routers.management_sources[{index}]",
                source,
                f"is not part of networks.management ({management.written})",
                f"write a part of {management.written}: the management leg has no route to "
                "elsewhere",
            )


@reads("networks", "routers")
def routed_vips_are_nobody_elses(stack: Stack) -> Iterator[Problem]:
    """What the provider routes to us is on none of our ranges: there it would be a host's."""
    ours = ranges(stack.networks)
    for index, vip in enumerate(stack.routers.vips):
        if not vip.routed:
            continue
        held: list[tuple[str, AnyAddress]] = [
            *((f"wan[{place}]", each) for place, each in enumerate(vip.wan)),
            *((f"wan6[{place}]", each) for place, each in enumerate(vip.wan6)),
        ]
        for key, address in held:
            path = f"routers.vips[{index}].{key}"
            for name, network in ours:
                if address in network:
                    right = (
                        f"remove routers.vips[{index}].routed"
                        if name.startswith("networks.wan.")
                        else "write the public address that the provider routes"
                    )
                    yield problem(
                        path, address, f"is inside {name} ({network}), so it is not routed", right
                    )
            for special, meaning in SPECIAL.items():
                if address in special:
                    yield problem(
                        path,
                        address,
                        f"is {meaning}, which no provider routes",
                        "write the public address that the provider routes",
                    )

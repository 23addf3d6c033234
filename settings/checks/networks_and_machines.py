"""Networks and machines: which role stands on which segment."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import standing
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks")
def machines_stand_on_the_right_segments(stack: Stack) -> Iterator[Problem]:
    """WAN and sync legs belong to routers; two routers share a sync segment."""
    routers = [spec for _, role, spec in standing(stack) if role == "router"]
    for path, role, spec in standing(stack):
        if role != "router":
            for leg in ("wan", "sync"):
                if getattr(spec, leg) is not None:
                    yield problem(
                        f"{path}.{leg}",
                        getattr(spec, leg),
                        f"is a leg a {role} must not have",
                        f"remove it: only routers stand on the {leg} segment",
                    )
            continue
        if spec.wan is None:
            yield problem(
                f"{path}.wan",
                None,
                "leaves a router without the WAN",
                f"give {spec.name} an address of {stack.networks.wan.cidr} beside the VIP",
            )
        if spec.sync is not None and stack.networks.sync is None and len(routers) < 2:
            yield problem(
                f"{path}.sync",
                spec.sync,
                "stands on no segment: networks.sync is absent",
                "add networks.sync or remove the leg",
            )
        if spec.sync is None and len(routers) > 1 and stack.networks.sync is not None:
            yield problem(
                f"{path}.sync",
                None,
                "leaves the pair without connection tracking of the partner's flows",
                f"give {spec.name} an address on networks.sync",
            )
    if len(routers) > 1 and stack.networks.sync is None:
        yield problem(
            "networks.sync",
            None,
            "is absent although there are two routers",
            "add a segment of the routers' own: cidr and bridge",
        )

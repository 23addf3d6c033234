"""Routers and balancers that announce: both ends of their BGP sessions, or neither."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.balancers_reach import REACHES
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_KIND = "balancers.reach.kind"


@reads("routers", "balancers")
def balancers_and_routers_agree_on_bgp(stack: Stack) -> Iterator[Problem]:
    """A session with one end is none."""
    bgp, kind = stack.routers.bgp, stack.balancers.reach.kind
    group = None if bgp is None else bgp.balancers
    announced = REACHES[kind].announced
    if announced and group is None:
        words = stack.routers.kind
        lacking = "routers.bgp has no balancers" if bgp is not None else "routers.bgp is not there"
        yield problem(
            _KIND,
            kind,
            f"announces the service to nobody: {lacking} (routers.kind is {words})",
            "write routers.bgp.balancers, which linux routers can have, or kind: vrrp",
        )
    if not announced and group is not None:
        yield problem(
            "routers.bgp.balancers.asn",
            group.asn,
            f"is nobody's: {_KIND} is {kind}",
            "write balancers.reach with kind: bgp and its vips, or remove balancers",
        )


@reads("routers", "balancers")
def every_balancer_is_used(stack: Stack) -> Iterator[Problem]:
    """Ways beyond the limit are known and not used."""
    bgp, balancers = stack.routers.bgp, stack.balancers
    if bgp is None or bgp.balancers is None or not REACHES[balancers.reach.kind].announced:
        return
    if bgp.multipath < len(balancers.machines):
        yield problem(
            "routers.bgp.multipath",
            bgp.multipath,
            f"is less than balancers.machines ({len(balancers.machines)}), of which the rest would "
            "be led nothing",
            f"write {len(balancers.machines)} or more",
        )


@reads("routers", "balancers")
def all_answers_leave_by_one_gateway(stack: Stack) -> Iterator[Problem]:
    """Every balancer answers at every address of the service, and by its default route: through the
    router of another group, which does not know the connection."""
    kind, vips = stack.balancers.reach.kind, stack.routers.vips
    if REACHES[kind].announced and len(vips) > 1:
        yield problem(
            "routers.vips[1]",
            vips[1].name,
            f"is a second group, whose answers would leave by the first one's gateway: {_KIND} is "
            f"{kind}",
            f"write its addresses in {vips[0].name}, or {_KIND}: vrrp",
        )

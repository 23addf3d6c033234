"""Routers and the platform: both ends of the nodes' BGP sessions, or neither; who is watched."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts, reads
from settings.checks.routers_kind import KINDS
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("routers", "platform")
def nodes_and_routers_agree_on_bgp(stack: Stack) -> Iterator[Problem]:
    """A session with one end is none."""
    bgp, mode = stack.routers.bgp, stack.platform.metallb.mode
    inside = None if bgp is None else bgp.inside
    if mode == "bgp" and inside is None:
        yield problem(
            "platform.metallb.mode",
            mode,
            "announces the pool to nobody: routers.bgp has no inside",
            "write routers.bgp.inside, or mode l2",
        )
    if mode != "bgp" and inside is not None:
        yield problem(
            "routers.bgp.inside.asn",
            inside.asn,
            f"is nobody's: MetalLB announces by ARP (platform.metallb.mode is {mode})",
            "write mode: bgp and a pool beyond every segment, or remove inside",
        )


@doubts("routers", "platform")
def routers_are_watched(stack: Stack) -> Iterator[Problem]:
    """Of routers without node_exporter nobody tells who holds a VIP."""
    kind = stack.routers.kind
    if stack.platform.monitoring is not None and not KINDS[kind].figures:
        yield problem(
            "routers.kind",
            kind,
            "shows platform.monitoring no figures: nothing alerts to the routers, nor to who holds "
            "their VIPs",
            "watch them by their own means, SNMP for one",
        )

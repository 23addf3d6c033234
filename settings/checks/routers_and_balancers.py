"""Routers and balancers: they share the LAN, and one forwards to the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.checks.registry import doubts, reads
from settings.models.addresses import Address, AnyNetwork
from settings.models.balancers import BalancerVip
from settings.models.routers import RouterVip
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem


@reads()
def identifiers_are_unique_on_a_segment(stack: Stack) -> Iterator[Problem]:
    """RFC 5798, 5.2.3: one VRID, one virtual router on a segment; routers and balancers share
    the LAN."""
    used: dict[tuple[str, int], tuple[str, str]] = {}
    told: set[tuple[str, str]] = set()
    for segment, vrid, path, owner in _identifiers(stack):
        earlier = used.setdefault((segment, vrid), (path, owner))
        if earlier[0] != path and (path, earlier[0]) not in told:
            told.add((path, earlier[0]))
            yield problem(
                path,
                vrid,
                f"is the VRID of {earlier[1]} on {segment} already ({earlier[0]})",
                f"give {owner} a VRID of its own (1 to 255)",
            )


def _identifiers(stack: Stack) -> Iterator[tuple[str, int, str, str]]:
    for path, edge in walk(stack, RouterVip):
        owner = f"the routers' VIP {edge.name}"
        yield "wan", edge.wan_vrid, f"{path}.wan_vrid", owner
        yield "lan", edge.lan_vrid, f"{path}.lan_vrid", owner
    for path, front in walk(stack, BalancerVip):
        owner = f"the balancers' VIP {front.name}"
        yield "lan", front.vrid, f"{path}.vrid", owner
        yield "management", front.vrid, f"{path}.vrid", owner


@reads("routers", "balancers")
def answers_go_back_through_one_router(stack: Stack) -> Iterator[Problem]:
    """Public VIPs are forwarded to the balancers' VIPs in turn. What a balancer's VIP answers can
    leave through one group's gateway only, so two groups may not share one."""
    targets = stack.balancers.service_vips
    if len(stack.routers.members) == 1 or stack.balancers.reach.vips:
        return
    groups: dict[Address, int] = {}
    publics = [index for index, vip in enumerate(stack.routers.vips) for _ in vip.wan]
    told: set[int] = set()
    for position, index in enumerate(publics):
        target = targets[position % len(targets)]
        earlier = groups.setdefault(target, index)
        if earlier != index and index not in told:
            told.add(index)
            yield problem(
                f"routers.vips[{index}]",
                stack.routers.vips[index].name,
                f"is forwarded to {target}, as {stack.routers.vips[earlier].name} is, and what "
                f"{target} answers can leave through one of the two routers only",
                f"give balancers.vips a LAN address for each public VIP ({len(publics)} in all)",
            )


@reads("routers", "balancers")
def routers_track_what_balancers_take(stack: Stack) -> Iterator[Problem]:
    """Each connection to the balancers is one that the routers track, all of them on one router
    when the other is away."""
    yield from _untracked(stack, 1, "the routers would drop the rest")


@doubts("routers", "balancers")
def routers_track_what_has_ended(stack: Stack) -> Iterator[Problem]:
    """A closed connection stays in the table for two minutes (nf_conntrack-sysctl, time_wait)."""
    if not list(_untracked(stack, 1, "")):
        yield from _untracked(stack, 2, "connections that have ended are tracked 120 s longer")


def _untracked(stack: Stack, times: int, why: str) -> Iterator[Problem]:
    if stack.routers.physical:
        return  # What one has room for, only the machine knows.
    tracked, each = stack.routers.limits.conntrack_max, stack.balancers.max_connections
    balancers = stack.balancers
    at_work = len(balancers.machines if balancers.reach.vips else {v.owner for v in balancers.vips})
    taken = each * at_work
    if tracked < times * taken:
        several = f" on each of {at_work} balancers at work" if at_work > 1 else ""
        yield problem(
            "routers.limits.conntrack_max",
            tracked,
            f"is less than {'twice ' if times == 2 else ''}balancers.max_connections ({each}"
            f"{several}): {why}",
            f"write {2 * taken} or more",
        )


@reads("routers", "balancers")
def log_servers_answer(stack: Stack) -> Iterator[Problem]:
    """They are asked through the routers, which drop what denied sources answer, and end what is
    announced and nobody inside has."""
    routers, logging = stack.routers, stack.balancers.logging
    lists: dict[str, Sequence[AnyNetwork]] = {"deny": routers.deny}
    if routers.bgp is not None:
        lists["bgp.announce"] = routers.bgp.announce
    for key, networks in lists.items():
        for index, network in enumerate(networks):
            for place, server in enumerate(logging.servers if logging else []):
                if server.address in network:
                    yield problem(
                        f"routers.{key}[{index}]",
                        network,
                        f"holds balancers.logging.servers[{place}] ({server.address}), which would "
                        "be sent nothing",
                        "write a network without it",
                    )

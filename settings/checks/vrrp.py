"""VRRP: identifiers, owners and timers of the routers' and the balancers' failover groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from ipaddress import IPv4Address

from settings.checks.claims import has
from settings.checks.registry import reads
from settings.models.edge import BalancerVip, RouterVip, Vrrp
from settings.models.machines import MachineSpec
from settings.models.stack import Stack
from settings.problems import Problem, problem

_STEP = Decimal("0.01")
_SLOWEST = Decimal("3")


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
    if has(stack, "routers"):
        for index, edge in enumerate(stack.routers.vips):
            owner, path = f"the routers' VIP {edge.name}", f"routers.vips[{index}]"
            yield "wan", edge.wan_vrid, f"{path}.wan_vrid", owner
            yield "lan", edge.lan_vrid, f"{path}.lan_vrid", owner
    if has(stack, "balancers"):
        for index, front in enumerate(stack.balancers.vips):
            owner, path = f"the balancers' VIP {front.name}", f"balancers.vips[{index}].vrid"
            yield "lan", front.vrid, path, owner
            yield "management", front.vrid, path, owner


@reads("routers")
def router_vips_have_owners(stack: Stack) -> Iterator[Problem]:
    """The preferred owner is one of the routers; group names are unique."""
    yield from _owned("routers", stack.routers.vips, stack.routers.machines)


@reads("balancers")
def balancer_vips_have_owners(stack: Stack) -> Iterator[Problem]:
    """The preferred owner is one of the balancers; group names are unique."""
    yield from _owned("balancers", stack.balancers.vips, stack.balancers.machines)


@reads("routers", "balancers")
def answers_go_back_through_one_router(stack: Stack) -> Iterator[Problem]:
    """Public VIPs are forwarded to the balancers' VIPs in turn. What a balancer's VIP answers can
    leave through one group's gateway only, so two groups may not share one."""
    targets = stack.balancers.lan_vips
    if len(stack.routers.machines) == 1:
        return
    groups: dict[IPv4Address, int] = {}
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


def _owned(
    layer: str, vips: Sequence[RouterVip | BalancerVip], machines: Sequence[MachineSpec]
) -> Iterator[Problem]:
    names = [machine.name for machine in machines]
    groups: dict[str, int] = {}
    for index, vip in enumerate(vips):
        path = f"{layer}.vips[{index}]"
        if vip.owner not in names:
            yield problem(
                f"{path}.owner",
                vip.owner,
                f"is no machine of {layer}",
                f"write one of {', '.join(names)}",
            )
        earlier = groups.setdefault(vip.name, index)
        if earlier != index:
            yield problem(
                f"{path}.name",
                vip.name,
                f"names {layer}.vips[{earlier}] already",
                "give each group a name of its own",
            )


@reads("routers")
def router_timers_make_sense(stack: Stack) -> Iterator[Problem]:
    """The routers' VRRP timers."""
    yield from _timers("routers", stack.routers.vrrp)


@reads("balancers")
def balancer_timers_make_sense(stack: Stack) -> Iterator[Problem]:
    """The balancers' VRRP timers."""
    yield from _timers("balancers", stack.balancers.vrrp)


def _timers(layer: str, vrrp: Vrrp) -> Iterator[Problem]:
    path = f"{layer}.vrrp.advert_interval"
    interval = Decimal(str(vrrp.advert_interval))
    if interval % _STEP:
        yield problem(
            path,
            vrrp.advert_interval,
            "is no multiple of 0.01 s (VRRP version 3 counts centiseconds)",
            f"write {interval.quantize(_STEP)}",
        )
    if interval > _SLOWEST:
        yield problem(
            path,
            vrrp.advert_interval,
            f"lets a dead owner keep its address for {(3 * interval).normalize():f} s and more",
            f"write {_SLOWEST} or less: a backup waits for three adverts and the skew",
        )

"""VRRP: owners and timers of any layer's failover groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from settings.checks.registry import reads
from settings.models.balancers import BalancerVip
from settings.models.machines import MachineSpec, PhysicalSpec
from settings.models.routers import RouterVip
from settings.models.stack import Stack
from settings.models.vrrp import Vrrp
from settings.models.walk import walk
from settings.problems import Problem, problem

_STEP = Decimal("0.01")


@reads("routers")
def router_vips_have_owners(stack: Stack) -> Iterator[Problem]:
    """The preferred owner is one of the routers; group names are unique."""
    yield from _owned("routers", stack.routers.vips, stack.routers.members)


@reads("balancers")
def balancer_vips_have_owners(stack: Stack) -> Iterator[Problem]:
    """The preferred owner is one of the balancers; group names are unique."""
    yield from _owned("balancers", stack.balancers.vips, stack.balancers.machines)


def _owned(
    layer: str,
    vips: Sequence[RouterVip | BalancerVip],
    machines: Sequence[MachineSpec | PhysicalSpec],
) -> Iterator[Problem]:
    names = [machine.name for machine in machines]
    groups: dict[str, int] = {}
    for index, vip in enumerate(vips):
        path = f"{layer}.vips[{index}]"
        if names and vip.owner not in names:
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


@reads()
def timers_make_sense(stack: Stack) -> Iterator[Problem]:
    """VRRP version 3 counts centiseconds (RFC 5798, 5.2.7)."""
    for section, vrrp in walk(stack, Vrrp):
        path = f"{section}.advert_interval"
        interval = Decimal(str(vrrp.advert_interval))
        if interval % _STEP:
            yield problem(
                path,
                vrrp.advert_interval,
                "is no multiple of 0.01 s (VRRP version 3 counts centiseconds)",
                f"write {interval.quantize(_STEP)}",
            )

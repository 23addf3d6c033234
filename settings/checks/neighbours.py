"""Whom a machine of a pair asks whether its leg still reaches anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from settings.checks.registry import reads
from settings.models.addresses import Address
from settings.models.base import Strict
from settings.models.machines import MachineSpec, PhysicalSpec
from settings.models.networks import Networks, Segment
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "routers")
def neighbours_of_routers_are_beside_them(stack: Stack) -> Iterator[Problem]:
    """ARP reaches the leg's own segment, and what the pair holds itself says nothing of it."""
    routers = stack.routers
    vips = [address for vip in routers.vips for address in (*vip.wan, *vip.lan)]
    yield from _beside(stack.networks, "routers", routers.neighbours, _own(routers.members, vips))


@reads("networks", "balancers")
def neighbours_of_balancers_are_beside_them(stack: Stack) -> Iterator[Problem]:
    """The same for the balancers."""
    balancers = stack.balancers
    vips = [address for vip in balancers.vips for address in (*vip.lan, *vip.management)]
    yield from _beside(
        stack.networks, "balancers", balancers.neighbours, _own(balancers.machines, vips)
    )


def _own(machines: Sequence[MachineSpec | PhysicalSpec], vips: Iterable[Address]) -> set[Address]:
    legs = (
        getattr(machine, network)
        for machine in machines
        for network in Networks.model_fields
        if hasattr(machine, network)
    )
    return {*(leg for leg in legs if leg is not None), *vips}


def _beside(
    networks: Networks, layer: str, neighbours: Strict, own: set[Address]
) -> Iterator[Problem]:
    for network in type(neighbours).model_fields:
        segment: Segment = getattr(networks, network)
        for index, each in enumerate(getattr(neighbours, network)):
            path = f"{layer}.neighbours.{network}[{index}]"
            right = f"name a machine of {segment.written} that is none of the {layer}"
            if segment.subnet_of(each) is None:
                wrong = f"is outside networks.{network} ({segment.written})"
            elif each in own:
                wrong = f"is an address of the {layer} themselves"
            else:
                continue
            yield problem(path, each, wrong, right)

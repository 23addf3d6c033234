"""Legs that carry nothing: with their link up, or their carrier away for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from lab.hypervisor.hypervisor import Hypervisor
from lab.network import faults
from lab.probes.drills.drill import NotHere
from lab.probes.world import World

AWAY_SECONDS = 2.0

Leg = Literal["lan", "wan"]


def dead(leg: Leg) -> Callable[[World, str], None]:
    """The victim's leg carries nothing, its link stays up."""

    def breaks(world: World, victim: str) -> None:
        hypervisor = Hypervisor()
        faults.isolate(hypervisor.topology, hypervisor.port(victim, _bridge(world, leg)))

    return breaks


def away(leg: Leg) -> Callable[[World, str], None]:
    """The victim's leg has no carrier for `AWAY_SECONDS`."""

    def breaks(world: World, victim: str) -> None:
        hypervisor = Hypervisor()
        faults.pull(hypervisor.topology, hypervisor.port(victim, _bridge(world, leg)))
        time.sleep(AWAY_SECONDS)
        back(leg)(world, victim)

    return breaks


def back(leg: Leg) -> Callable[[World, str], None]:
    """The leg is as before."""

    def mends(world: World, victim: str) -> None:
        hypervisor, bridge = Hypervisor(), _bridge(world, leg)
        faults.join(hypervisor.topology, hypervisor.port(victim, bridge), bridge)

    return mends


def _bridge(world: World, leg: Leg) -> str:
    segment = world.stack.networks.lan if leg == "lan" else world.stack.networks.wan
    if segment is None or segment.bridge is None:
        raise NotHere(f"the {leg} is on no bridge")
    return segment.bridge

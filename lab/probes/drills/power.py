"""Machines that lose power."""

from __future__ import annotations

from lab.hypervisor.hypervisor import Hypervisor
from lab.probes.result import until
from lab.probes.world import World

BOOT_SECONDS = 90.0


def off(_world: World, victim: str) -> None:
    """The plug is pulled."""
    Hypervisor().power_off(victim)


def on(world: World, victim: str) -> None:
    """Back in, until the machine answers."""
    if not any(each.name == victim and each.running for each in Hypervisor().machines()):
        Hypervisor().power_on(victim)
    until(lambda: world.addresses(victim), BOOT_SECONDS, f"{victim} does not come back")

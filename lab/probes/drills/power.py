"""Machines that lose power."""

from __future__ import annotations

from lab.hypervisor.hypervisor import Hypervisor
from lab.probes.inside import api_vips
from lab.probes.result import until
from lab.probes.world import World

BOOT_SECONDS = 90.0
API_SECONDS = 30.0
"""How long the API may be away behind the VIPs: HAProxy drops the dead server after its second
refusal, and etcd's others elect a leader within a second or two."""


def off(_world: World, victim: str) -> None:
    """The plug is pulled."""
    Hypervisor().power_off(victim)


def off_and_the_api_answers(world: World, victim: str) -> None:
    """The plug of a control plane is pulled, and the others serve the API."""
    off(world, victim)
    until(lambda: api_vips(world), API_SECONDS, f"no API without {victim}")


def on(world: World, victim: str) -> None:
    """Back in, until the machine answers."""
    if not any(each.name == victim and each.running for each in Hypervisor().machines()):
        Hypervisor().power_on(victim)
    until(lambda: world.addresses(victim), BOOT_SECONDS, f"{victim} does not come back")

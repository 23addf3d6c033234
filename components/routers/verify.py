"""What settings cannot know of the routers: where adopted machines stand, and what arrives late.

Everything else is refused by the settings' own checks, before any layer exists. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.host.pair.legs import HasLegs, leg_problems


def verify(machines: Sequence[HasLegs]) -> list[str]:
    """Legs that a router lacks (management, lan, wan, and sync in a pair), and peers that are not
    on one subnet."""
    sync = ("sync",) if len(machines) > 1 else ()
    return leg_problems(machines, ("management", "lan", "wan", *sync))


def verify_ranges(ranges: Sequence[str]) -> list[str]:
    """An empty list of the CDN's ranges: the set decides who reaches the balancers."""
    if ranges:
        return []
    return [
        "the CDN has no ranges; the routers would drop every request. Nothing is pushed and the "
        "last good set stays: look at where the CDN's ranges come from"
    ]

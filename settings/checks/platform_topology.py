"""The topology and the platform: what the one word says is what the keys say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.models.topology import TOPOLOGIES
from settings.problems import Problem, problem


@reads("topology", "platform")
def a_topology_is_what_its_keys_say(stack: Stack) -> Iterator[Problem]:
    """Two keys that say the same thing may not say it otherwise."""
    for steps, wanted in TOPOLOGIES[stack.topology].fixed.items():
        held: Any = stack
        for step in steps:
            held = getattr(held, step)
        if held != wanted:
            yield problem(
                ".".join(steps),
                held,
                f"is not what topology {stack.topology} has there ({wanted})",
                f"write {wanted}, or remove it, or write topology: external",
            )

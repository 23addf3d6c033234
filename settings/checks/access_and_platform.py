"""What the platform reads of the machines."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("access", "platform")
def what_is_watched_shows_its_figures(stack: Stack) -> Iterator[Problem]:
    """The rules read who holds a VIP, and most else, from the machines' exporters."""
    if stack.platform.monitoring is not None and not stack.access.node_exporter:
        yield problem(
            "access.node_exporter",
            False,
            "leaves platform.monitoring nothing to read of the machines",
            "write true, or remove platform.monitoring",
        )

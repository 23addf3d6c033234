"""The CDN and the platform: the demonstration has a name there."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.names import covered
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("cdn", "platform")
def demo_is_reachable(stack: Stack) -> Iterator[Problem]:
    """The demo's host name has a record when a zone is managed."""
    demo = stack.platform.demo
    if demo is None or not demo.enabled:
        return
    if stack.cdn.zone is not None and not covered(stack.cdn.records, demo.host):
        yield problem(
            "platform.demo.host",
            demo.host,
            "has no record at the CDN",
            f"add {demo.host} to cdn.records",
        )

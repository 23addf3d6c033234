"""Networks and the CDN: its ranges are not ours."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import ranges
from settings.checks.registry import reads
from settings.models.addresses import overlap
from settings.models.cdn import too_wide
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("networks", "cdn")
def cdn_ranges_are_not_ours(stack: Stack) -> Iterator[Problem]:
    """Our own machines would be believed as the CDN."""
    for index, given in enumerate(stack.cdn.range_list):
        if too_wide([given]):
            continue  # everybody's, and refused as that
        for name, network in ranges(stack.networks):
            if overlap(given, network):
                yield problem(
                    f"cdn.range_list[{index}]",
                    given,
                    f"overlaps {name} ({network})",
                    "list the CDN's own ranges only",
                )

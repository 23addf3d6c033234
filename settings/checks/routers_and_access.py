"""The routers and the upkeep of machines: what the firewall logs has room in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.registry import doubts
from settings.checks.routers_kind import KINDS
from settings.models.stack import Stack
from settings.problems import Problem, problem

_LINE: Final = 1024
"""Bytes in the journal of one dropped packet: a round figure, estimated and not measured."""
_MINUTES: Final = 24 * 60


@doubts("routers", "access")
def logged_drops_leave_a_day_in_the_journal(stack: Stack) -> Iterator[Problem]:
    """Under a scan that lasts, everything else that a router said goes from its journal."""
    drops, journal = stack.routers.log_drops_per_minute, stack.access.journald_max_mebibytes
    fitting = journal * 1024**2 // (_LINE * _MINUTES)
    if drops > fitting and not KINDS[stack.routers.kind].appliance:
        yield problem(
            "routers.log_drops_per_minute",
            drops,
            f"can fill the routers' journals of {journal} MiB (access.journald_max_mebibytes) in "
            f"less than a day (about {_LINE // 1024} KiB a line)",
            f"write {fitting} or less, or give the journals more room",
        )

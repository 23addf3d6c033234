"""What RouterOS cannot do of what a stack asks of its routers, and what it promises less of.

Sources: MikroTik's manual, "VRRP", /interface/vrrp and /ip/firewall/connection/tracking in its CLI
reference: no delays, no repeated announcements, no questions to neighbours; `max-entries` is
read-only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from settings.checks.registry import doubts
from settings.checks.routers_legs import UNASKED
from settings.models.stack import Stack
from settings.problems import Problem, problem

_WORD: Final = "mikrotik"
_IS: Final = f"routers.kind is {_WORD}"

LACKING: Final[Mapping[str, str]] = {
    "vrrp.preempt_delay": "an owner that returns takes its VIPs when its connections are in step",
    "vrrp.startup_delay": "VRRP begins with the interface",
    "vrrp.garp_master_refresh": "a new master announces itself once",
    **UNASKED,
    "limits.conntrack_max": "RouterOS takes the size of its table from the memory",
    "outbound": "such routers let the LAN reach everything here",
    "snippets": "RouterOS has rules of another form",
    "bgp": "such routers speak no BGP here",
}
"""Keys below `routers`, and what RouterOS does instead (`Asks.lacking` in `routers_kind`)."""
_SHORTEST: Final = 1
"""Seconds: below it the manual warns of masters that change without a cause (/interface/vrrp,
interval)."""


@doubts("routers")
def adverts_are_as_rare_as_the_manual_wants(stack: Stack) -> Iterator[Problem]:
    """RouterOS takes 10 ms and more, and warns of less than a second."""
    interval = stack.routers.vrrp.advert_interval
    if stack.routers.kind == _WORD and interval < _SHORTEST:
        yield problem(
            "routers.vrrp.advert_interval",
            interval,
            f"is less than a second, and {_IS}: MikroTik's manual warns that masters may change "
            "without a cause",
            "write 1, or more",
        )

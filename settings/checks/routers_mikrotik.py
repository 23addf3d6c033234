"""What RouterOS cannot do of what a stack asks of its routers, and what it promises less of.

Sources: MikroTik's manual, "VRRP", /interface/vrrp and /ip/firewall/connection/tracking in its CLI
reference: no delays, no repeated announcements, no questions to neighbours; `max-entries` is
read-only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.registry import doubts, reads
from settings.models.base import Strict
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_WORD: Final = "mikrotik"
_IS: Final = f"routers.kind is {_WORD}"

_LACKING: Final = {
    "vrrp.preempt_delay": "an owner that returns takes its VIPs when its connections are in step",
    "vrrp.startup_delay": "VRRP begins with the interface",
    "vrrp.garp_master_refresh": "a new master announces itself once",
    "vrrp.leg_interval": "nobody asks neighbours whether a leg is lost",
    "vrrp.leg_fall": "nobody asks neighbours whether a leg is lost",
    "vrrp.leg_hold": "nobody asks neighbours whether a leg is lost",
    "neighbours.wan": "nobody asks neighbours whether a leg is lost",
    "neighbours.lan": "nobody asks neighbours whether a leg is lost",
    "limits.conntrack_max": "RouterOS takes the size of its table from the memory",
    "outbound": "such routers let the LAN reach everything here",
    "bgp": "such routers speak no BGP here",
}
"""Keys below `routers`, and what RouterOS does instead. A default asks for nothing."""
_SHORTEST: Final = 1
"""Seconds: below it the manual warns of masters that change without a cause (/interface/vrrp,
interval)."""


@reads("routers")
def routeros_can_do_what_is_asked(stack: Stack) -> Iterator[Problem]:
    """What is written must be kept: there is nothing that would."""
    if stack.routers.kind != _WORD:
        return
    for key, instead in _LACKING.items():
        *above, name = key.split(".")
        section: Strict = stack.routers
        for each in above:
            section = getattr(section, each)
        value = getattr(section, name)
        if value != type(section).model_fields[name].get_default(call_default_factory=True):
            plain = isinstance(value, int | float)
            listed = isinstance(value, list) and not any(isinstance(each, Strict) for each in value)
            shown = [str(each) for each in value] if listed else ABSENT
            yield problem(
                f"routers.{key}",
                value if plain else shown,
                f"cannot be kept: {_IS}, and {instead}",
                "remove it, or write kind: linux",
            )


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


@doubts("routers")
def a_leg_may_be_lost_unnoticed(stack: Stack) -> Iterator[Problem]:
    """VRRP between two RouterOS follows the links of the legs, and the adverts on the LAN."""
    if stack.routers.kind == _WORD and len(stack.routers.members) > 1:
        yield problem(
            "routers.kind",
            _WORD,
            "gives up its VIPs when the link of a leg is down, and not when a leg is lost behind "
            "the switch (routers.neighbours)",
            "see that a cut cable takes the link down, or write kind: linux",
        )

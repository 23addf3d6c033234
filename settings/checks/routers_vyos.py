"""What VyOS cannot do of what a stack asks of its routers.

Sources: VyOS' documentation, configuration/highavailability (whole seconds of `advertise-interval`;
`garp master-refresh` up to 600), configuration/system/conntrack (`table-size`),
configuration/firewall/ipv4 (`recent count` up to 255), configuration/interfaces, and
automation/command-scripting (a command's values are arguments of a program).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from settings.checks.registry import reads
from settings.checks.routers_legs import UNASKED
from settings.models.stack import Stack
from settings.models.vrrp import Vrrp
from settings.problems import Problem, problem

_WORD: Final = "vyos"
_IS: Final = f"routers.kind is {_WORD}"
_SHOWN: Final = "everything that such a router is told is shown in a preview"

LACKING: Final[Mapping[str, str]] = {
    **UNASKED,
    "snippets": "VyOS writes its own table",
    "bgp.daemon": "such routers run FRRouting",
    "bgp.upstream[].password": _SHOWN,
    "bgp.inside.password": _SHOWN,
    "bgp.balancers": "a balancer that comes or goes would move connections to the others",
}
"""Keys below `routers`, and what VyOS does instead (`Asks.lacking` in `routers_kind`)."""
_REFRESH: Final = 600
"""Seconds."""
_TRACKED: Final = 50_000_000
_SEEN: Final = 255
"""Connections of one source that a rule counts."""
_INTERFACE: Final = r"(eth|bond|br)[0-9]+(\.[0-9]{1,4})?"


@reads("routers")
def vyos_counts_whole_seconds(stack: Stack) -> Iterator[Problem]:
    """A default asks for nothing: it is the second that comes nearest."""
    interval = stack.routers.vrrp.advert_interval
    default = Vrrp.model_fields["advert_interval"].default
    if stack.routers.kind == _WORD and interval != default and interval % 1:
        yield problem(
            "routers.vrrp.advert_interval",
            interval,
            f"is no whole number of seconds, and {_IS}, which counts in such",
            "write 1, 2 or 3",
        )


@reads("routers")
def vyos_takes_the_numbers(stack: Stack) -> Iterator[Problem]:
    """What is beyond them is refused by VyOS itself, after the router was asked."""
    routers = stack.routers
    if routers.kind != _WORD:
        return
    numbers = {
        "vrrp.garp_master_refresh": (routers.vrrp.garp_master_refresh, _REFRESH),
        "limits.conntrack_max": (routers.limits.conntrack_max, _TRACKED),
        **{
            f"forwards[{index}].per_source": (each.per_source, _SEEN)
            for index, each in enumerate(routers.forwards)
        },
    }
    for key, (value, most) in numbers.items():
        if value > most:
            yield problem(
                f"routers.{key}",
                value,
                f"is more than {most}, and {_IS}, which takes no more",
                f"write {most} or less",
            )


@reads("routers")
def vyos_knows_the_interfaces(stack: Stack) -> Iterator[Problem]:
    """A port, a bond or a bridge, or a VLAN on one: what they are is in their names."""
    if stack.routers.kind != _WORD:
        return
    for index, spec in enumerate(stack.routers.physical):
        for leg, name in spec.interfaces.model_dump().items():
            if name is not None and not re.fullmatch(_INTERFACE, name):
                yield problem(
                    f"routers.physical[{index}].interfaces.{leg}",
                    name,
                    f"is no interface that VyOS has, and {_IS}",
                    "write it as VyOS calls it, such as eth1, bond0 or br0, or eth1.10 for a VLAN",
                )

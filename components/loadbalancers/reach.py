"""How requests reach the balancers. A further way is a row here. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.host.part import Part
from components.loadbalancers import (
    announce,
    bird,
    figures,
    frr,
    handover,
    keepalived,
    watch,
)
from components.loadbalancers.model import Balancer, BalancersModel

Make = Callable[[BalancersModel, Balancer], Part | None]


@dataclass(frozen=True, kw_only=True)
class Way:
    """`daemons` bring requests to a balancer, in the order in which units are brought up. When
    HAProxy has ended `ended` is run, and before it is stopped `stopping`; empty where keepalived
    learns of it by itself."""

    daemons: tuple[Make, ...]
    ended: str = ""
    stopping: str = ""


_API = (watch.part, handover.part, keepalived.part)
"""The Kubernetes API is at an address that moves between two machines, whichever way requests
come."""

WAYS: Mapping[str, Way] = {
    "vrrp": Way(daemons=_API),
    "bgp": Way(
        daemons=(*_API, announce.part, frr.part, bird.part, figures.part),
        ended=announce.LEAVE,
        stopping=announce.GO_AWAY,
    ),
}
"""By the word of `balancers.reach.kind`."""

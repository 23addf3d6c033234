"""A balancer's BGP sessions with the routers, as either daemon is told them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.host.bgp import BFD_PORT, PORT, End, Neighbours, Peering
from components.host.part import OpenPort
from components.loadbalancers.model import Balancer, BalancersModel


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """`own` is the balancer's end, `group` how the routers treat it, `routers` their ends. One that
    is `away`, in maintenance, is led requests only while nobody else serves."""

    peering: Peering
    group: Neighbours
    own: End
    routers: tuple[End, ...]
    away: bool

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password's name in the text; none without one."""
        return () if self.group.secret is None else (f"bgp-{self.group.secret}",)

    def ports(self) -> tuple[OpenPort, ...]:
        """What the daemon listens on."""
        return tuple(self._ports())

    def _ports(self) -> Iterator[OpenPort]:
        numbers = [("tcp", PORT, "BGP"), *([("udp", BFD_PORT, "BFD")] if self.group.bfd else [])]
        for protocol, number, name in numbers:
            yield OpenPort(
                protocol=protocol,
                number=number,
                network=self.group.network,
                sources="named",
                addresses=tuple(each.address for each in self.routers),
                purpose=f"{name} of the routers",
            )


def sessions(model: BalancersModel, balancer: Balancer, daemon: str) -> Sessions | None:
    """The sessions of `balancer`; None where it speaks by another daemon, or not at all."""
    peering = model.peering
    group = None if peering is None else peering.balancers
    if peering is None or group is None or peering.daemon != daemon:
        return None
    return Sessions(
        peering=peering,
        group=group,
        own=next(each for each in group.members if each.name == balancer.name),
        routers=peering.routers[group.network],
        away=balancer.name in model.maintenance,
    )

"""How a balancer's BGP sessions are, for Prometheus. Pure."""

from __future__ import annotations

from components.host.part import Part
from components.host.speakers import figures
from components.loadbalancers.model import Balancer, BalancersModel


def part(model: BalancersModel, _balancer: Balancer) -> Part | None:
    """See `components.host.speakers.figures`; None where the balancers do not speak BGP, or have no
    node_exporter."""
    peering = model.peering
    group = None if peering is None else peering.balancers
    if peering is None or group is None:
        return None
    return figures.part(peering, bfd=group.bfd)

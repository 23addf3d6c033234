"""FRRouting on a balancer: tells the routers of the service's addresses, takes nothing. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.part import Part
from components.host.speakers import frr as shared
from components.host.text import environment
from components.loadbalancers.model import Balancer, BalancersModel
from components.loadbalancers.sessions import sessions

CONFIG, UNIT, DAEMONS = shared.CONFIG, shared.UNIT, shared.DAEMONS

_TEMPLATES = environment(Path(__file__).parent / "templates" / "frr")


def part(model: BalancersModel, balancer: Balancer) -> Part | None:
    """frr.conf (FRR user guide); None where the routers run another daemon, as the balancers do
    then. Secret: `bgp-balancers`, the sessions' password."""
    spoken = sessions(model, balancer, "frr")
    if spoken is None:
        return None
    config = _TEMPLATES.get_template("frr.conf.j2").render(balancer=balancer, it=spoken)
    return shared.part(
        config,
        bfd=spoken.group.bfd,
        always=balancer.distribution.frr_always,
        drop_in=_TEMPLATES.get_template("frr.dropin.j2").render(),
        secrets=spoken.secrets,
        ports=spoken.ports(),
    )

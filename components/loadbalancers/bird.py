"""BIRD on a balancer: tells the routers of the service's addresses, and takes nothing. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.bgp import PORT
from components.host.part import Part
from components.host.speakers import bird as shared
from components.host.text import environment
from components.loadbalancers.model import Balancer, BalancersModel
from components.loadbalancers.sessions import sessions

CONFIG, UNIT = shared.CONFIG, shared.UNIT

_TEMPLATES = environment(Path(__file__).parent / "templates" / "bird")


def part(model: BalancersModel, balancer: Balancer) -> Part | None:
    """bird.conf (BIRD user's guide); None where the routers run another daemon, as the balancers do
    then. Secret: `bgp-balancers`, the sessions' password."""
    spoken = sessions(model, balancer, "bird")
    if spoken is None:
        return None
    config = _TEMPLATES.get_template("bird.conf.j2").render(balancer=balancer, it=spoken, port=PORT)
    return shared.part(
        (shared.sealed(CONFIG, config, spoken.secrets),),
        drop_in=_TEMPLATES.get_template("bird.dropin.j2").render(),
        judged={"bird": CONFIG},
        watches=(CONFIG,),
        ports=spoken.ports(),
    )

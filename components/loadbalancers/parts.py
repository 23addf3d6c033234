"""What a balancer runs. A further daemon is a file beside this one and a row here. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from components.host.pair import health
from components.host.pair.watch import QUESTION
from components.host.part import Part
from components.loadbalancers import handover, haproxy, keepalived, rsyslog, watch
from components.loadbalancers.model import Balancer, BalancersModel
from settings.models import Sources

DAEMONS: tuple[Callable[[BalancersModel, Balancer], Part | None], ...] = (
    haproxy.part,
    watch.part,
    handover.part,
    keepalived.part,
    rsyslog.part,
)
"""In the order in which units are brought up; None from a part that a balancer does without. Their
guarded units are what a takeover needs."""


def parts(model: BalancersModel, balancer: Balancer) -> tuple[Part, ...]:
    """The parts of the base of one balancer."""
    made = (daemon(model, balancer) for daemon in DAEMONS)
    daemons = [each for each in made if each is not None]
    if model.peer(balancer.name) is not None:
        daemons.append(
            health.part(
                "balancer",
                address=balancer.lan.ip,
                network="lan",
                units=health.guarded(daemons),
                questions=(haproxy.QUESTION, QUESTION),
            )
        )
    return tuple(daemons)


def routes_parts(
    further: Sequence[str] = (), sources: Sources | None = None, *, authorities: bool = False
) -> tuple[Part, ...]:
    """The parts of the routes, alike on both balancers; `authorities` when clients show
    certificates. See `haproxy.routes_part`."""
    return (haproxy.routes_part(further, sources, authorities=authorities),)

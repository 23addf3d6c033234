"""What a balancer runs. A further daemon is a file beside this one and a row here. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from components.host.pair import health
from components.host.pair.watch import QUESTION
from components.host.part import Part
from components.loadbalancers import certbot, haproxy, rsyslog
from components.loadbalancers.model import Balancer, BalancersModel, Order
from components.loadbalancers.reach import WAYS, Make
from settings.models import MaintenancePage, Sources, TcpRoute

DAEMONS: tuple[Make, ...] = (haproxy.part, rsyslog.part)
"""Whatever way requests come; None from a part that a balancer does without. Its way's are brought
up after the first. Their guarded units are what a takeover needs."""


def parts(model: BalancersModel, balancer: Balancer) -> tuple[Part, ...]:
    """The parts of the base of one balancer."""
    first, *others = DAEMONS
    made = (each(model, balancer) for each in (first, *WAYS[model.reach].daemons, *others))
    daemons = [each for each in made if each is not None]
    if model.others(balancer.name):
        daemons.append(
            health.part(
                "balancer",
                address=balancer.lan.ip,
                network="lan",
                units=health.guarded(daemons),
                questions=(
                    haproxy.QUESTION,
                    *((QUESTION,) if model.holds(balancer.name) else ()),
                ),
            )
        )
    return tuple(daemons)


def routes_parts(
    further: Sequence[str] = (),
    sources: Sources | None = None,
    page: MaintenancePage | None = None,
    tcp_routes: Sequence[TcpRoute] = (),
    *,
    order: Order | None = None,
    authorities: bool = False,
) -> tuple[Part, ...]:
    """The parts of the routes, alike on both balancers; `authorities` when clients show
    certificates. See `haproxy.routes_part`. Who orders the certificate comes last: the authority
    asks it through HAProxy."""
    service = haproxy.routes_part(
        further, sources, page, tcp_routes, order=order, authorities=authorities
    )
    return (service,) if order is None else (service, certbot.part(order))

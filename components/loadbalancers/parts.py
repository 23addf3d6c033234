"""What a balancer runs: a new daemon is a file beside this one, and a row here. Pure."""

from __future__ import annotations

from components.host.pair import health
from components.host.part import Part
from components.loadbalancers import haproxy, keepalived
from components.loadbalancers.model import Balancer, BalancersModel


def parts(model: BalancersModel, balancer: Balancer) -> tuple[Part, ...]:
    """The parts of the base of `balancer`, in the order that their units are brought up."""
    daemons = (haproxy.part(model, balancer), keepalived.part(model, balancer))
    if model.peer(balancer.name) is None:
        return daemons
    answer = health.part(
        "balancer",
        address=balancer.lan.ip,
        network="lan",
        units=health.guarded(daemons),
        questions=(haproxy.QUESTION,),
    )
    return (*daemons, answer)


def routes_parts() -> tuple[Part, ...]:
    """The parts of the routes, alike on both balancers. Late: see `haproxy.routes_part`."""
    return (haproxy.routes_part(),)

"""What a Linux router runs: a new daemon is a file beside this one, and a row here. Pure."""

from __future__ import annotations

from components.host.pair import health
from components.host.part import Part
from components.routers.linux import conntrackd, firewall, keepalived
from components.routers.model import Router, RoutersModel


def parts(model: RoutersModel, router: Router) -> tuple[Part, ...]:
    """The parts of `router`, in the order that their units are brought up. Late: `cdn_ranges`."""
    link = model.link(router.name)
    daemons: tuple[Part, ...]
    if link is None:
        daemons = (keepalived.part(model, router),)
    else:
        replication = conntrackd.part(model, router, link)
        failover = keepalived.part(model, router)
        answer = health.part(
            "router",
            address=link.ours.ip,
            network="sync",
            units=(firewall.UNIT, *health.guarded((replication, failover))),
            questions=(firewall.question(router),),
        )
        daemons = (replication, failover, answer)
    ports = tuple(port for part in daemons for port in part.ports)
    return (firewall.part(model, router, ports), *daemons)

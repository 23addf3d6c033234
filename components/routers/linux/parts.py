"""What a Linux router runs. A further daemon is a file beside this one and a row here. Pure."""

from __future__ import annotations

from collections.abc import Callable

from components.host.pair import health
from components.host.pair.watch import QUESTION
from components.host.part import Part
from components.routers.linux import (
    bird,
    conntrackd,
    figures,
    firewall,
    frr,
    keepalived,
    watch,
    ways,
)
from components.routers.model import Router, RoutersModel

DAEMONS: tuple[Callable[[RoutersModel, Router], Part | None], ...] = (
    conntrackd.part,
    watch.part,
    ways.part,
    frr.part,
    bird.part,
    keepalived.part,
    figures.part,
)
"""Behind the firewall, in the order in which units are brought up; None from a part that a router
does without. What they listen on is let in, and their guarded units are what a takeover needs."""


def parts(model: RoutersModel, router: Router) -> tuple[Part, ...]:
    """The parts of one router. Late: see `firewall.part`."""
    made = (daemon(model, router) for daemon in DAEMONS)
    behind = [each for each in made if each is not None]
    link = model.link(router.name)
    if link is not None:
        behind.append(
            health.part(
                "router",
                address=link.ours.ip,
                network="sync",
                units=(firewall.UNIT, firewall.GUARD, *health.guarded(behind)),
                questions=(firewall.question(router), QUESTION),
            )
        )
    listening = (*(port for each in behind for port in each.ports), *model.open_ports)
    return (firewall.part(model, router, listening), *behind)

"""keepalived of a balancer: one instance a group, with its LAN and management addresses. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.pair import keepalived as shared
from components.host.pair import watch
from components.host.part import Part, Text
from components.loadbalancers.model import ALIVE_PORT, Balancer, BalancersModel

ALIVE = "/etc/keepalived/layered-haproxy-alive"
"""Exits 0 when the local HAProxy answers a request."""
HAPROXY = "haproxy.service"

_TEMPLATES = shared.templates(Path(__file__).parent / "templates" / "keepalived")


def part(model: BalancersModel, balancer: Balancer) -> Part:
    """VRRP on the LAN; a group leaves a machine whose HAProxy is dead or hangs."""
    alive = _TEMPLATES.get_template("haproxy-alive.sh.j2").render(alive_port=ALIVE_PORT)
    alone = model.peer(balancer.name) is None
    return shared.part(
        config(model, balancer),
        after=(HAPROXY,) if alone else (HAPROXY, watch.UNIT),
        scripts=(Text(path=ALIVE, content=alive, mode="0755"),),
        peer_networks=() if alone else ("lan",),
        conditional=True,
    )


def config(model: BalancersModel, balancer: Balancer) -> str:
    """keepalived.conf(5)."""
    return _TEMPLATES.get_template("keepalived.conf.j2").render(
        role="balancer",
        name=balancer.name,
        vrrp=model.vrrp,
        model=model,
        balancer=balancer,
        peer=model.peer(balancer.name),
        alive=ALIVE,
        tracks={} if model.peer(balancer.name) is None else watch.TRACKED,
    )

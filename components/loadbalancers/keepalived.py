"""keepalived of a balancer: one instance a group, with its LAN and management addresses. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.pair import keepalived as shared
from components.host.pair import watch
from components.host.part import Part, Text
from components.loadbalancers.model import ALIVE_PORT, SERVES_PORT, Balancer, BalancersModel

ALIVE = "/etc/keepalived/layered-haproxy-alive"
"""Exits 0 when the local HAProxy answers a request."""
SERVES = "/etc/keepalived/layered-haproxy-serves"
"""Exits 0 when each of its services has a server that is up."""
SERVES_WEIGHT = -60
"""More than the gap between the priorities, so that the backup is preferred while it serves and the
owner does not; the owner keeps what it has when neither does."""
ENDS = "/run/layered-haproxy-ends"
"""How often HAProxy ended without having started again: 0 while it runs."""
HANGS = "/run/layered-haproxy-hangs"
"""Not 0 while HAProxy runs, but does not answer keepalived: for the watcher of the legs, since a
peer in maintenance must know."""
HANDOVER = "/etc/keepalived/layered-handover"
"""Told which group of addresses has moved (`handover`)."""
HANDOVER_UNIT = "layered-handover.service"
HAPROXY = "haproxy.service"

_TEMPLATES = shared.templates(Path(__file__).parent / "templates" / "keepalived")


def part(model: BalancersModel, balancer: Balancer) -> Part | None:
    """VRRP on the LAN; a group leaves a machine whose HAProxy is dead or hangs, and is not taken by
    one that would serve less than its peer. None for a machine that holds no address."""
    if not model.holds(balancer.name):
        return None
    alone = model.peer(balancer.name) is None
    return shared.part(
        config(model, balancer),
        after=(HAPROXY,) if alone else (HAPROXY, watch.UNIT, HANDOVER_UNIT),
        scripts=scripts(alone=alone),
        peer_networks=() if alone else ("lan",),
    )


def scripts(*, alone: bool) -> tuple[Text, ...]:
    """What asks the local HAProxy; nobody asks whether it serves where there is no other."""
    alive = _TEMPLATES.get_template("haproxy-alive.sh.j2").render(
        alive_port=ALIVE_PORT, hangs=HANGS
    )
    serves = _TEMPLATES.get_template("haproxy-serves.sh.j2").render(serves_port=SERVES_PORT)
    return (
        Text(path=ALIVE, content=alive, mode="0755"),
        *(() if alone else (Text(path=SERVES, content=serves, mode="0755"),)),
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
        owned={vip.owner == balancer.name for vip in model.vips},
        alive=ALIVE,
        tracks={} if model.peer(balancer.name) is None else watch.TRACKED,
        serves=SERVES,
        serves_weight=SERVES_WEIGHT,
        ends=ENDS,
        handover=HANDOVER,
    )

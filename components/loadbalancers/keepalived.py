"""keepalived of a balancer: one instance a group, with its LAN and management addresses. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.host.pair import keepalived as shared
from components.host.pair import watch
from components.host.part import Part, Text
from components.loadbalancers.model import (
    ALIVE_PORT,
    ORDERED_CERTIFICATE,
    SERVES_PORT,
    Balancer,
    BalancersModel,
)

ALIVE = "/etc/keepalived/layered-haproxy-alive"
"""Exits 0 when the local HAProxy answers a request."""
SERVES = "/etc/keepalived/layered-haproxy-serves"
"""Exits 0 when its routes are loaded, and the ingress and the API have a server that is up."""
OWN = "/etc/keepalived/layered-haproxy-own"
"""Exits 0 when each backend with servers of its own has one that is up."""
STEP = 60
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


@dataclass(frozen=True, kw_only=True)
class Preference:
    """What a balancer may lack without a fault: `weight` (below 0) is added to its priority while
    the script at `path` fails. One that is `presumed` costs nothing until it has been asked. With a
    `certificate`, it fails until that file is there."""

    name: str
    path: str
    weight: int
    presumed: bool = False
    certificate: str | None = None

    @property
    def script(self) -> Text:
        """What keepalived runs."""
        text = _TEMPLATES.get_template(f"{self.name}.sh.j2").render(
            serves_port=SERVES_PORT, certificate=self.certificate
        )
        return Text(path=self.path, content=text, mode="0755")


def preferences(model: BalancersModel) -> tuple[Preference, ...]:
    """What decides between two balancers that are both well, the heaviest first: each weighs more
    than all behind it together, by more than the gap between the priorities, so that no two states
    of one balancer are worth the same, and the priorities of both stay above 0."""
    ordered = None if model.order is None else ORDERED_CERTIFICATE
    serves = partial(Preference, name="haproxy-serves", path=SERVES, certificate=ordered)
    if not model.own_moves:
        return (serves(weight=-STEP),)
    return (
        serves(weight=-2 * STEP),
        # New with the first such backend: a reload must not begin with a balancer that lacks it.
        Preference(name="haproxy-own", path=OWN, weight=-STEP, presumed=True),
    )


def part(model: BalancersModel, balancer: Balancer) -> Part | None:
    """VRRP on the LAN; a group leaves a machine whose HAProxy is dead or hangs, and is not taken by
    one that would serve less than its peer. None for a machine that holds no address."""
    if not model.holds(balancer.name):
        return None
    alone = model.peer(balancer.name) is None
    return shared.part(
        config(model, balancer),
        after=(HAPROXY,) if alone else (HAPROXY, watch.UNIT, HANDOVER_UNIT),
        scripts=scripts(() if alone else preferences(model)),
        peer_networks=() if alone else ("lan",),
    )


def scripts(preferred: Sequence[Preference]) -> tuple[Text, ...]:
    """What asks the local HAProxy. Nothing is preferred where there is no other."""
    alive = _TEMPLATES.get_template("haproxy-alive.sh.j2").render(
        alive_port=ALIVE_PORT, hangs=HANGS
    )
    return (
        Text(path=ALIVE, content=alive, mode="0755"),
        *(each.script for each in preferred),
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
        preferences=preferences(model),
        ends=ENDS,
        handover=HANDOVER,
    )

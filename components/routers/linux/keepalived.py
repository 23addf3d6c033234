"""keepalived of a router: a WAN and a LAN instance a group, which move together. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.pair import keepalived as shared
from components.host.pair import watch
from components.host.part import Part, Text
from components.routers.linux import conntrackd, firewall
from components.routers.model import Router, RoutersModel

FAILOVER = "/etc/keepalived/layered-failover"

_TEMPLATES = shared.templates(Path(__file__).parent / "templates" / "keepalived")


def part(model: RoutersModel, router: Router) -> Part:
    """VRRP on WAN and LAN; in a pair, conntrackd is told when a group of addresses moves."""
    alone = model.peer(router.name) is None
    script = _TEMPLATES.get_template("failover.sh.j2").render(conntrackd=conntrackd.CONFIG)
    after = (firewall.UNIT, firewall.GUARD)
    return shared.part(
        config(model, router),
        after=after if alone else (*after, conntrackd.UNIT, watch.UNIT),
        needs=(firewall.UNIT,),
        scripts=() if alone else (Text(path=FAILOVER, content=script, mode="0755"),),
        peer_networks=() if alone else ("wan", "lan"),
    )


def config(model: RoutersModel, router: Router) -> str:
    """keepalived.conf(5)."""
    alone = model.peer(router.name) is None
    return _TEMPLATES.get_template("keepalived.conf.j2").render(
        role="router",
        name=router.name,
        vrrp=model.vrrp,
        model=model,
        router=router,
        peer=model.peer(router.name),
        link=model.link(router.name),
        failover=FAILOVER,
        tracks={**firewall.TRACKED, **({} if alone else watch.TRACKED)},
    )

"""Connections outlive a move of the addresses: what one balancer began, it finishes. Pure.

Packets follow a VIP to the other balancer at once. That one answers those of connections which it
does not know with a reset, unless it sends them on to the peer, which does here as long as its
HAProxy may finish them. Of IPv4 only.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

from components.host.packages import package
from components.host.pair import HEALTH_PORT
from components.host.part import Check, Health, Part, Service, Text
from components.host.text import environment
from components.loadbalancers.keepalived import ALIVE, HANDOVER, HANDOVER_UNIT, HAPROXY
from components.loadbalancers.model import Balancer, BalancersModel

RULES = "/etc/keepalived/layered-handover.nft"
UNIT_FILE = f"/etc/systemd/system/{HANDOVER_UNIT}"
STATE = "/run/layered-handover"
"""Beside it `-GROUP` while a group is here, as far as its connections know."""
MARK = 0x10AD
"""Of packets that open a connection to a VIP, and of the socket that is then accepted."""
CHECK = ("/usr/sbin/nft", "-c", "-f", RULES)

_TEMPLATES = environment(Path(__file__).parent / "templates" / "handover")


def part(model: BalancersModel, balancer: Balancer) -> Part | None:
    """The rules, and what keepalived calls when a group has moved; None for a balancer alone."""
    peer = model.peer(balancer.name)
    if peer is None:
        return None

    def text(template: str) -> str:
        return _TEMPLATES.get_template(f"{template}.j2").render(
            vips=(*model.lan_vips, *model.management_vips),
            groups=model.vips,
            legs=((balancer.lan, peer.lan), (balancer.management, peer.management)),
            peer=peer.lan.ip,
            health_port=HEALTH_PORT,
            seconds=ceil(model.timeouts.hard_stop_after),
            mark=f"{MARK:#x}",
            alive=ALIVE,
            haproxy=HAPROXY,
            rules=RULES,
            script=HANDOVER,
            state=STATE,
        )

    return Part(
        name="handover",
        packages=(package("nftables"),),
        files=(
            Text(path=RULES, content=text("layered-handover.nft")),
            Text(path=HANDOVER, content=text("handover.sh"), mode="0755"),
            Text(path=UNIT_FILE, content=text("layered-handover.service")),
        ),
        checks=(Check(name="nftables", argv=CHECK, watches=(RULES,)),),
        services=(
            Service(
                name=HANDOVER_UNIT,
                on_change="restart",
                watches=(RULES, HANDOVER, UNIT_FILE),
                health=Health(
                    argv=("/usr/sbin/nft", "list", "table", "ip", "layered_handover"), seconds=5
                ),
                guarded=False,
            ),
        ),
    )

"""What a balancer of a pair sees on its legs, compared with what its peer sees. Pure."""

from __future__ import annotations

from components.host.pair import watch
from components.host.pair.watch import WatchedLeg, WatchedPath
from components.host.part import Part
from components.loadbalancers.keepalived import ENDS, HANGS
from components.loadbalancers.model import Balancer, BalancersModel


def part(model: BalancersModel, balancer: Balancer) -> Part | None:
    """The watcher of the legs; None for a balancer alone.

    VRRP speaks on the LAN only: cut off there, both balancers would hold every address. The LAN,
    where requests come from and go to, is worth more than the management network.
    """
    peer = model.peer(balancer.name)
    if peer is None:
        return None
    return watch.part(
        "balancer",
        vrrp=model.vrrp,
        rank=model.rank(balancer.name),
        legs=(
            WatchedLeg(
                network="lan",
                leg=balancer.lan,
                weight=2,
                neighbours=model.neighbours.get("lan", ()),
                vips=model.lan_vips,
                elects=True,
            ),
            WatchedLeg(
                network="management",
                leg=balancer.management,
                weight=1,
                neighbours=model.neighbours.get("management", ()),
                vips=model.management_vips,
            ),
        ),
        paths=(
            WatchedPath(network="lan", ours=balancer.lan, theirs=peer.lan, vrrp=True),
            WatchedPath(network="management", ours=balancer.management, theirs=peer.management),
        ),
        faults=(ENDS, HANGS),
        drains=model.drains(balancer.name),
    )

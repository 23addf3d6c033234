"""What a router of a pair sees on its WAN and LAN, compared with what its peer sees. Pure."""

from __future__ import annotations

from components.host.pair import watch
from components.host.pair.watch import WatchedLeg, WatchedPath
from components.host.part import Part
from components.routers.linux import firewall
from components.routers.model import Router, RoutersModel


def part(model: RoutersModel, router: Router) -> Part | None:
    """The watcher of the legs; None for a router alone, which could leave its addresses to nobody.

    The LAN is worth more: without its WAN a router is still the LAN's gateway.
    """
    link, peer = model.link(router.name), model.peer(router.name)
    if link is None or peer is None:
        return None
    return watch.part(
        "router",
        vrrp=model.vrrp,
        rank=model.rank(router.name),
        legs=(
            WatchedLeg(
                network="lan",
                leg=router.lan,
                weight=2,
                neighbours=model.neighbours.get("lan", ()),
                vips=model.gateways,
            ),
            WatchedLeg(
                network="wan",
                leg=router.wan,
                weight=1,
                neighbours=model.neighbours.get("wan", ()),
                vips=model.public,
                strange=model.uplink is not None,
            ),
        ),
        paths=(
            WatchedPath(network="sync", ours=link.ours, theirs=link.theirs),
            WatchedPath(network="management", ours=router.management, theirs=peer.management),
            WatchedPath(network="lan", ours=router.lan, theirs=peer.lan, vrrp=True),
        ),
        faults=(firewall.CLOSED,),
        drains=model.drains(router.name),
    )

"""VRRP of a VyOS router: a WAN and a LAN group for each of ours, tied by a sync group. Pure.

Source: VyOS' documentation, configuration/highavailability: all members of a sync group move
together, an interface that is down at one takes all of them away, and the sync group's own health
check is the one that counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.routers.model import Router, RoutersModel
from components.routers.vyos.section import Section, under

HEALTH: Final = "/config/scripts/layered-health"
"""Fails while the firewall is not in force."""


def section(model: RoutersModel, router: Router) -> Section:
    """All of `high-availability vrrp`."""
    return Section(owned=("high-availability vrrp",), lines=tuple(_lines(model, router)))


def advert_interval(seconds: float) -> int:
    """Whole seconds, of which VyOS takes 1 to 255."""
    return max(1, round(seconds))


def _lines(model: RoutersModel, router: Router) -> Iterator[str]:
    timers, top = model.vrrp, "high-availability vrrp"
    yield f"{top} global-parameters version 3"
    if timers.startup_delay:
        yield f"{top} global-parameters startup-delay {timers.startup_delay}"
    if timers.garp_master_refresh:
        yield f"{top} global-parameters garp master-refresh {timers.garp_master_refresh}"
    peer = model.peer(router.name)
    for vip in model.vips:
        for segment, leg, theirs, vrid, addresses in (
            ("wan", router.wan, None if peer is None else peer.wan, vip.wan_vrid, vip.wan),
            ("lan", router.lan, None if peer is None else peer.lan, vip.lan_vrid, vip.lan),
        ):
            yield from under(
                f"{top} group {vip.name}-{segment}",
                ("interface", leg.interface),
                ("vrid", vrid),
                ("priority", model.priority(vip, router.name)),
                ("advertise-interval", advert_interval(timers.advert_interval)),
                *(("address", f"{address}/32") for address in addresses),
                *(() if timers.preempt else (("no-preempt",),)),
                *((("preempt-delay", timers.preempt_delay),) if timers.preempt else ()),
                ("hello-source-address", leg.ip),
                *(() if theirs is None else (("peer-address", theirs.ip),)),
            )
        yield from under(
            f"{top} sync-group {vip.name}",
            ("member", f"{vip.name}-wan"),
            ("member", f"{vip.name}-lan"),
            ("health-check", "script", HEALTH),
            ("health-check", "interval", 2),
            ("health-check", "failure-count", 2),
        )

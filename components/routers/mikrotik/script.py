"""The script that makes a RouterOS router what the model says, and the one that confirms it. Pure.

Idempotent: items are added when there is none like them, chains and lists are named for the text
that fills them (so that the old ones serve until a jump leads to the new ones), and what an earlier
text put there goes last. Sources: MikroTik's manual, "Scripting" (a runtime error ends the script;
variables must not be called like properties), "Scheduler" (`start-time=startup` with an interval
runs one interval after the entry is added, and after every start), "Backup".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from components.host.text import environment
from components.routers.mikrotik.firewall import addresses, menus
from components.routers.mikrotik.vrrp import instances
from components.routers.model import Router, RoutersModel
from components.routers.texts import Texts, written

_TEMPLATES = environment(Path(__file__).parent / "templates")


def texts(
    model: RoutersModel,
    router: Router,
    cdn: Sequence[str],
    *,
    gateway: str,
    epoch: str,
    confirm_seconds: int,
) -> Texts:
    """Both texts of one router. `cdn` are the CDN's ranges, at least one; `gateway` is the
    provider's router; after `confirm_seconds` the old configuration returns. Another `epoch` is
    another text."""
    vrrp = instances(model, router)
    legs = [leg for leg in router.legs() if leg is not router.management]
    lists = {
        "management": [router.management.interface],
        **{
            name: [leg.interface, *(each.name for each in vrrp if each.interface == leg.interface)]
            for name, leg in (("lan", router.lan), ("wan", router.wan))
        },
    }
    values = {
        "model": model,
        "router": router,
        "link": model.link(router.name),
        "epoch": epoch,
        "confirm_seconds": confirm_seconds,
        "gateway": gateway,
        "legs": legs,
        "interfaces": [leg.interface for leg in router.legs()],
        "instances": vrrp,
        "held": [
            *(f"{leg.address} {leg.interface}" for leg in legs),
            *(f"{vip}/32 {each.name}" for each in vrrp for vip in each.vips),
        ],
        "lists": lists,
        "members": [f"layered-{name} {interface}" for name in lists for interface in lists[name]],
        "addresses": addresses(model, cdn),
        "menus": menus(model, router),
    }
    script, confirmation = map(_TEMPLATES.get_template, ("router.rsc.j2", "confirm.rsc.j2"))
    return written(script, confirmation, values)

"""The text that makes a VyOS router what the model says, in one commit, and the one that keeps it.
Pure.

Idempotent: what the program owns of the configuration is emptied and said anew in one session,
which VyOS compares with what is in force. Sources: VyOS' documentation,
automation/command-scripting (`script-template`, `vbash -s` over SSH, the group `vyattacfg`) and cli
(`compare`, `commit-confirm`, `confirm`, `save`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from components.host.text import environment
from components.routers.model import Router, RoutersModel
from components.routers.texts import Texts, written
from components.routers.vyos import bgp, firewall, interfaces, nat, tracking, vrrp
from settings.models import Networks

READER = "sg vyattacfg -c 'vbash -s'"
"""Reads a text on its standard input, with the group that may change the configuration."""

_TEMPLATES = environment(Path(__file__).parent / "templates")


def minutes(seconds: int) -> int:
    """How long `commit-confirm` waits, which it counts in minutes."""
    return max(1, -(-seconds // 60))


def commands(
    model: RoutersModel, router: Router, cdn: Sequence[str], networks: Networks, *, virtual: bool
) -> list[str]:
    """The router's configuration as `delete` and `set` commands, in the order they are given."""
    sections = (
        interfaces.section(model, router, networks, virtual=virtual),
        interfaces.machine(router, networks),
        firewall.section(model, router, cdn),
        nat.section(model, router),
        tracking.section(model, router),
        bgp.section(model, router),
        vrrp.section(model, router),
    )
    return [
        *(f"delete {path}" for section in sections for path in section.owned),
        *(f"set {line}" for section in sections for line in section.lines),
    ]


def texts(
    model: RoutersModel,
    router: Router,
    cdn: Sequence[str],
    *,
    networks: Networks,
    virtual: bool,
    epoch: str,
    confirm_seconds: int,
) -> Texts:
    """Both texts of one router. `cdn` are the CDN's ranges, at least one; after `confirm_seconds`,
    in whole minutes, the old configuration returns. Another `epoch` is another text."""
    values = {
        "model": model,
        "router": router,
        "link": model.link(router.name),
        "held": [address for vip in model.vips for address in (*vip.wan, *vip.lan)],
        "commands": commands(model, router, cdn, networks, virtual=virtual),
        "mark": firewall.MARK,
        "health": vrrp.HEALTH,
        "epoch": epoch,
        "minutes": minutes(confirm_seconds),
    }
    script, confirmation = map(_TEMPLATES.get_template, ("router.sh.j2", "confirm.sh.j2"))
    return written(script, confirmation, values)

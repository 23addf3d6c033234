"""The rules of this chain: those of `rules.yaml`, and what they must know of this stack. Pure."""

from __future__ import annotations

from pathlib import Path

import yaml

from components.platform.addon import Object, Site

FILE = Path(__file__).parent / "rules.yaml"
VIP = "layered_cloud:vip"
"""A series for each VIP that somebody must hold, by `address` and the `role` of who does."""

SENDER = "layered_cloud:sender"
"""A series for each machine that is no node and sends its lines, by `host`."""


def groups() -> list[Object]:
    """The groups of the file, as they stand."""
    found: list[Object] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    return found


def facts(site: Site) -> Object:
    """A group that records every VIP. Those of a role without node_exporter (an appliance's) are
    left out: nobody would tell who holds them."""
    told = {each.role for each in site.targets if each.name == "node"}
    return {
        "name": "layered-cloud-facts",
        "rules": [
            {
                "record": VIP,
                "expr": "vector(1)",
                "labels": {"address": str(address), "role": role},
            }
            for role, addresses in site.vips.items()
            if role in told
            for address in addresses
        ],
    }


def senders(site: Site) -> list[Object]:
    """A group that records who sends lines, where somebody does."""
    found = [
        {"record": SENDER, "expr": "vector(1)", "labels": {"host": name}} for name in site.senders
    ]
    return [{"name": "layered-cloud-senders", "rules": found}] if found else []

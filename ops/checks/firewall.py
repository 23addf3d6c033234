"""Whether the routers' rules are in force. Pure."""

from __future__ import annotations

from ops.checks.model import Check, Seen, Verdict, of_roles, texts
from ops.question import command

TABLE = command("firewall", "nft", "--terse", "list", "table", "inet", "layered")


LAST = ('counter name "refused_input"', 'counter name "refused_forward"')
"""The last rules of both chains: where one lacks, the table was flushed, and everything passes."""


def judge(seen: Seen) -> Verdict:
    """Of every router that answers."""
    found, wrong = texts(seen, TABLE.name)
    wrong += [
        f"{name}: the firewall's table is empty or cut"
        for name, text in found.items()
        if not all(rule in text for rule in LAST)
    ]
    return Verdict(wrong=tuple(wrong), said=f"rules in force on {', '.join(found)}")


CHECK = Check(
    name="the firewall is in force",
    layer="routers",
    asks=of_roles("router", asked=(TABLE,)),
    judge=judge,
    remedy="`systemctl reload layered-firewall` there loads the rules again; the guard has stopped "
    "forwarding meanwhile",
    page="docs/routers.md#looking",
)

"""Who holds the VIPs. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ops.checks.model import Check, Seen, Verdict, of_roles, texts
from ops.question import command
from settings.models import Stack

ADDRESSES = command("addresses", "ip", "-json", "address")


@dataclass(frozen=True, kw_only=True)
class Group:
    """VIPs that move together; `preempt` says that the owner takes them back."""

    name: str
    owner: str
    vips: tuple[str, ...]
    preempt: bool


def router_groups(stack: Stack) -> list[Group]:
    """The routers' groups, with all their VIPs."""
    preempt = stack.routers.vrrp.preempt
    return [
        Group(
            name=each.name,
            owner=each.owner,
            vips=tuple(map(str, (*each.wan, *each.lan, *each.wan6, *each.lan6))),
            preempt=preempt,
        )
        for each in stack.routers.vips
    ]


def balancer_groups(stack: Stack) -> list[Group]:
    """The balancers' groups, with all their VIPs."""
    preempt = stack.balancers.vrrp.preempt
    return [
        Group(
            name=each.name,
            owner=each.owner,
            vips=tuple(map(str, (*each.lan, *each.management, *each.lan6))),
            preempt=preempt,
        )
        for each in stack.balancers.vips
    ]


def held(text: str) -> set[str]:
    """Every address in `ip -json address`."""
    return {info["local"] for row in json.loads(text) for info in row["addr_info"] if info}


def misplaced(
    groups: Iterable[Group], holders: Mapping[str, Sequence[str]], silent: Sequence[str] = ()
) -> list[str]:
    """A sentence for each VIP that not exactly one machine holds, or another than its owner where
    that takes its VIPs back; `silent` machines hold nobody knows what."""
    found = []
    for group in groups:
        for vip in group.vips:
            on = list(holders.get(vip, ()))
            settled = group.preempt and group.owner not in silent
            if on == [group.owner] or (len(on) == 1 and not settled):
                continue
            unless = f" that answers ({', '.join(silent)} does not)" if silent and not on else ""
            where = ", ".join(on) or f"no machine{unless}"
            found.append(f"{vip} on {where}, not on {group.owner}")
    return found


def judged(seen: Seen, role: str, groups: Sequence[Group]) -> Verdict:
    """The VIPs of one pair."""
    found, wrong = texts(seen, ADDRESSES.name)
    members = {each.name for each in seen.site.of(role)}
    have = {name: held(text) for name, text in found.items() if name in members}
    holders = {
        vip: [name for name, addresses in have.items() if vip in addresses]
        for group in groups
        for vip in group.vips
    }
    wrong += misplaced(groups, holders, seen.silent(seen.site.of(role)))
    said = ", ".join(f"{vip} on {', '.join(names)}" for vip, names in holders.items())
    return Verdict(wrong=tuple(wrong), said=said)


def _routers(seen: Seen) -> Verdict:
    return judged(seen, "router", router_groups(seen.site.stack))


def _balancers(seen: Seen) -> Verdict:
    return judged(seen, "balancer", balancer_groups(seen.site.stack))


ROUTERS = Check(
    name="each VIP of the routers has one owner",
    layer="routers",
    asks=of_roles("router", asked=(ADDRESSES,)),
    judge=_routers,
    remedy="read `journalctl -u keepalived` on both: with two owners they do not hear each other, "
    "with none a leg or a daemon is missing on both",
    page="docs/routers.md#looking",
)
BALANCERS = Check(
    name="each VIP of the balancers has one owner",
    layer="balancers",
    asks=of_roles("balancer", asked=(ADDRESSES,)),
    judge=_balancers,
    remedy="read `journalctl -u keepalived` on both: with two owners they do not hear each other, "
    "with none HAProxy or a leg is missing on both",
    page="docs/loadbalancers.md#who-holds-the-addresses",
)

"""From answers to what stands in the file: machines, their places and addresses. Pure.

What an answer gets wrong is kept as it was written, so that the settings refuse it in their own
words; what is derived from it is then derived from something else, since nobody will see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from settings.init.plan.addresses import Free
from settings.init.plan.machines import Maker, Row
from settings.init.plan.platform import (
    BackupPlan,
    CdnPlan,
    PlatformPlan,
    backups,
    cdn,
    platform,
    pool,
)
from settings.init.plan.routers import (
    RouterPlan,
    number_or_text,
    routers,
    upstream_addresses,
)
from settings.init.questions import QUESTIONS
from settings.init.questions.question import NONE, Answers, is_number, items_of
from settings.pinned import CONTAINERD, KUBERNETES, minor
from settings.problems import Problem

_MOST: Final = 100
"""Of machines of a kind: more are written by hand."""
_LEGS: Final = ["management", "lan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the template writes, by the names that it has there."""

    endpoint: str
    hosts: list[Row]
    pairs: bool
    segments: dict[str, Row]
    pods: str
    services: str
    resolvers: list[str]
    ntp: list[str]
    domain: str
    routers: RouterPlan
    balancers: list[Row]
    balancer_vip: Row
    control_planes: list[Row]
    workers: list[Row]
    shared: bool
    kubernetes: str
    kubernetes_minor: str
    containerd: str
    backups: BackupPlan | None
    platform: PlatformPlan
    names: list[str]
    cdn: CdnPlan


def misread(given: Answers) -> Iterator[Problem]:
    """Answers that no key of the file takes as they are, so that the settings never see them."""
    for each in QUESTIONS:
        if each.name in given:
            yield from each.misread(given)
    for name in ("workers", "control-planes"):
        if _number(given[name]) > _MOST:
            right = f"write {_MOST} at most, and add the others to the file"
            yield Problem(key=f"--{name}", value=given[name], wrong="is too many", right=right)


def plan(given: Answers) -> Plan:
    """What the answers come to; `misread` has nothing to say about them.

    Raises:
        Full: a network has no room for all of it.
    """
    hosts = _hosts(given["hosts"])
    pairs = given["pairs"] == "yes"
    pools = {name: Free(name, given[name], _elsewhere(given)) for name in _networks(pairs)}
    lan, management = pools["lan"], pools["management"]
    gateway = lan.take(1)
    front = {"lan": [lan.take(10)], "management": [management.take(10)]}
    vips = [_edge(given, gateway)]
    if (announced := given.get("announced-vip", NONE)) != NONE:
        vips.append(_announced(announced, lan.take(4)))
        front["lan"].append(lan.take(13))
    row = ("", "") if pool(given) else lan.row()
    names = [each["name"] for each in hosts]
    maker = Maker(pools=pools, hosts=names, first_id=_number(given["first-vm-id"]), pairs=pairs)
    pair, letters = 2 if pairs else 1, "ab"
    planes, workers = _number(given["control-planes"]), _number(given["workers"])
    make = maker.machine
    return Plan(
        endpoint=given["endpoint"],
        hosts=hosts,
        pairs=pairs,
        segments={name: _segment(given, name) for name in pools},
        pods=given["pods"],
        services=given["services"],
        resolvers=items_of(given["resolvers"]),
        ntp=items_of(given["ntp"]),
        domain=given["domain"],
        routers=routers(given, maker, vips),
        balancers=[make(f"lb-{letters[at]}", 10 + at, at + 1, _LEGS) for at in range(pair)],
        balancer_vip={"name": "front", "owner": "lb-a", "vrid": 71, **front},
        control_planes=[make(f"cp-{at + 1}", 20 + at, at, _LEGS) for at in range(planes)],
        workers=[make(f"worker-{at + 1}", 30 + at, at, _LEGS) for at in range(workers)],
        shared=workers <= 1,
        kubernetes=KUBERNETES,
        kubernetes_minor=minor(KUBERNETES),
        containerd=CONTAINERD,
        backups=backups(given),
        platform=platform(given, row),
        names=items_of(given["names"]),
        cdn=cdn(given),
    )


def _elsewhere(given: Answers) -> list[str]:
    """The addresses of those who are no machines of the stack, and of routers that it does not
    make."""
    return [
        *(each["ssh_address"] for each in _hosts(given["hosts"])),
        *items_of(given["resolvers"]),
        *items_of(given["ntp"]),
        *(given["gateway"], given["public-vip"]),
        *upstream_addresses(given),
        *items_of(given.get("router-addresses", NONE)),
        _host_of(given["backups"]),
    ]


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _edge(given: Answers, gateway: str) -> Row:
    return {
        **{"name": "edge", "owner": "router-a", "wan": [given["public-vip"]], "wan_vrid": 61},
        **{"lan": [gateway], "lan_vrid": 62},
    }


def _announced(address: str, lan: str) -> Row:
    """Beside the first one, where the provider routes it to."""
    return {
        **{"name": "announced", "owner": "router-a", "wan": [address], "routed": True},
        **{"wan_vrid": 63, "lan": [lan], "lan_vrid": 64},
    }


def _networks(pairs: bool) -> list[str]:
    return ["management", "lan", "wan", *(["sync"] if pairs else [])]


def _segment(given: Answers, name: str) -> Row:
    bridge, colon, tag = given[f"{name}-bridge"].partition(":")
    vlan: Row = {"vlan": number_or_text(tag)} if colon else {}
    gateway: Row = {"gateway": given["gateway"]} if name == "wan" else {}
    return {"cidr": given[name], "bridge": bridge, **vlan, **gateway}


def _hosts(text: str) -> list[Row]:
    parts = [each.partition("=") for each in items_of(text)]
    return [{"name": name.strip(), "ssh_address": at.strip()} for name, _, at in parts] or [
        {"name": "", "ssh_address": ""}
    ]


def _number(text: str) -> int:
    return int(text) if is_number(text) else 1

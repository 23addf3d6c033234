"""The figures that a report shows, out of what machines answered. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ops.checks import certificates, fill, haproxy, kubernetes, manifests, vips
from ops.checks.model import Seen, texts
from ops.judge import Row, about
from ops.question import Machine, Question, reading
from ops.shapes import masked
from ops.site import Site

VITALS = reading("vitals", "/proc/uptime", "/proc/loadavg", "/etc/os-release")
UNREADABLE = (ValueError, KeyError, TypeError, IndexError, AttributeError)
"""What an answer of another form raises; a check has told it."""
_DAY = 86_400
_HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Box:
    """A machine as the chain shows it: `state` is well, wrong or silent; `lines` say what it
    holds and is, `levels` how full it is."""

    name: str
    state: str
    lines: Sequence[str]
    levels: Sequence[fill.Level] = ()
    wrong: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One step of the chain."""

    title: str
    state: str
    lines: Sequence[str] = ()
    boxes: Sequence[Box] = ()


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """When a certificate ends, and how many days that is."""

    where: str
    ends: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One backend of HAProxy's as one balancer counts it."""

    balancer: str
    name: str
    up: int
    servers: int
    sessions: int
    rate: int
    total: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class Push:
    """What was pushed to a machine, and whether it still stands there."""

    machine: str
    layer: str
    at: str
    drift: Sequence[str]


def asked(site: Site) -> dict[str, Sequence[Question]]:
    """What is asked for figures, beside what checks ask."""
    return {each.name: (VITALS,) for each in site.machines}


def tiers(seen: Seen, rows: Sequence[Row]) -> list[Tier]:
    """client, CDN, routers, balancers, nodes, pods."""
    site = seen.site
    boxes = _Boxes(seen, rows)
    pods = next((row for row in rows if row.result.name == kubernetes.RUN.name), None)
    cdn = site.stack.cdn
    return [
        Tier(
            title="client",
            state="unasked",
            lines=[str(each) for each in site.outputs.get("urls", [])],
        ),
        Tier(title="CDN", state="unasked", lines=[cdn.kind]),
        boxes.tier("routers", site.of("router")),
        boxes.tier("balancers", site.of("balancer")),
        boxes.tier("nodes", site.nodes),
        Tier(
            title="pods",
            state="unasked" if pods is None else "well" if pods.result.ok else "wrong",
            lines=[] if pods is None else [pods.result.detail],
        ),
    ]


class _Boxes:
    def __init__(self, seen: Seen, rows: Sequence[Row]) -> None:
        self.seen = seen
        self.rows = rows
        self.levels = _levels(seen)
        self.held = dict(_held(seen))
        self.vitals = dict(_vitals(seen))
        self.nodes = dict(_nodes(seen))

    def tier(self, title: str, machines: Sequence[Machine]) -> Tier:
        boxes = [self._box(each) for each in machines]
        states = {each.state for each in boxes}
        layers = {"routers": "routers", "balancers": "balancers", "nodes": "cluster"}
        whole = all(row.result.ok for row in self.rows if row.layer == layers[title])
        well = whole and states <= {"well", "unasked"}
        state = "well" if well else "silent" if states == {"silent"} else "wrong"
        return Tier(title=title, state="unasked" if states == {"unasked"} else state, boxes=boxes)

    def _box(self, machine: Machine) -> Box:
        answers = self.seen.machines[machine.name]
        wrong = [each.removeprefix(f"{machine.name}: ") for each in about(self.rows, machine.name)]
        if answers.silent is not None:
            state = "silent" if machine.python else "unasked"
            return Box(name=machine.name, state=state, lines=[machine.address], wrong=wrong)
        lines = [
            f"on {machine.host}" if machine.host else "physical",
            *self.vitals.get(machine.name, []),
        ]
        lines += [f"holds {', '.join(vips)}" for vips in [self.held.get(machine.name)] if vips]
        lines += self.nodes.get(machine.name, [])
        return Box(
            name=machine.name,
            state="wrong" if wrong else "well",
            lines=lines,
            levels=self.levels.get(machine.name, []),
            wrong=wrong,
        )


def certificates_of(seen: Seen) -> list[Certificate]:
    """Every certificate that was seen, the first to end first."""
    found: dict[tuple[str, str], Certificate] = {}
    with suppress(*UNREADABLE):
        for each in certificates.everything(seen)[0]:
            with suppress(*UNREADABLE):
                ends = certificates.read(each).not_valid_after_utc
                where = each.where.split(", as ")[0]
                row = Certificate(where=where, ends=f"{ends:%Y-%m-%d}", days=(ends - seen.now).days)
                found.setdefault((row.where, row.ends), row)
    return sorted(found.values(), key=lambda each: (each.days, each.where))


def backends(seen: Seen) -> list[Backend]:
    """Every backend with servers, as both balancers count it."""
    found = []
    for balancer, text in texts(seen, haproxy.STATISTICS.name)[0].items():
        with suppress(*UNREADABLE):
            table = haproxy.rows(text)
            for total in table:
                if total["svname"] != "BACKEND":
                    continue
                mine = [row for row in haproxy.servers(table) if row["pxname"] == total["pxname"]]
                if not mine:
                    continue
                found.append(
                    Backend(
                        balancer=balancer,
                        name=total["pxname"],
                        up=len(mine) - len(haproxy.down(mine)),
                        servers=len(mine),
                        sessions=_number(total["scur"]),
                        rate=_number(total["rate"]),
                        total=_number(total["stot"]),
                        failed=_number(total["econ"]) + _number(total["eresp"]),
                    )
                )
    return found


def pushes(seen: Seen) -> list[Push]:
    """Every manifest of every machine."""
    found = []
    for machine, text in texts(seen, manifests.REPORT.name)[0].items():
        with suppress(*UNREADABLE):
            found += [
                Push(
                    machine=machine,
                    layer=row["layer"],
                    at=str(row["at"]),
                    drift=[masked(f"{each['what']} is {each['is']}") for each in row["drift"]],
                )
                for row in json.loads(text)
            ]
    return found


def _number(text: str) -> int:
    return int(text or 0)


def _levels(seen: Seen) -> dict[str, list[fill.Level]]:
    with suppress(*UNREADABLE):
        return fill.levels(seen)[0]
    return {}


def _held(seen: Seen) -> Iterator[tuple[str, list[str]]]:
    stack = seen.site.stack
    groups = [*vips.router_groups(stack), *vips.balancer_groups(stack)]
    wanted = [vip for group in groups for vip in group.vips]
    for name, text in texts(seen, vips.ADDRESSES.name)[0].items():
        with suppress(*UNREADABLE):
            have = vips.held(text)
            yield name, [vip for vip in wanted if vip in have]


def _vitals(seen: Seen) -> Iterator[tuple[str, list[str]]]:
    for name, text in texts(seen, VITALS.name)[0].items():
        with suppress(*UNREADABLE):
            files: dict[str, str] = json.loads(text)
            release = dict(
                line.split("=", 1)
                for line in files.get("/etc/os-release", "").splitlines()
                if "=" in line
            )
            seconds = int(float(files["/proc/uptime"].split()[0]))
            load = float(files["/proc/loadavg"].split()[0])
            days = f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"
            yield (
                name,
                [masked(release.get("PRETTY_NAME", "").strip('"')), f"up {days}, load {load:.2f}"],
            )


def _nodes(seen: Seen) -> Iterator[tuple[str, list[str]]]:
    for text in texts(seen, kubernetes.NODES.name)[0].values():
        with suppress(*UNREADABLE):
            for node in json.loads(text)["items"]:
                ready = not kubernetes.ready([node], [node["metadata"]["name"]])
                word = "Ready" if ready else "not Ready"
                yield (
                    node["metadata"]["name"],
                    [f"{word}, {node['status']['nodeInfo']['kubeletVersion']}"],
                )
            return

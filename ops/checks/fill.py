"""How full disks, memory and the tables of tracked connections are. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.checks.model import Check, Seen, Verdict, plural, texts
from ops.question import Machine, Question, command, reading
from ops.site import NODES, Site

DISKS = command(
    "disks", "df", "--local", "--block-size=1", "--output=source,fstype,target,pcent,ipcent"
)
MEMORY = reading("memory", "/proc/meminfo")
TRACKED = reading(
    "conntrack",
    "/proc/sys/net/netfilter/nf_conntrack_count",
    "/proc/sys/net/netfilter/nf_conntrack_max",
)
MOST_DISK = 85
"""Percent: from there on a kubelet throws images away (imageGCHighThresholdPercent)."""
LEAST_MEMORY = 5
"""Percent that is available (proc_meminfo(5), MemAvailable)."""
MOST_TRACKED = 80
"""Percent: a full table drops every new connection."""
_OF_MEMORY = ("tmpfs", "devtmpfs", "squashfs", "ramfs", "efivarfs")


@dataclass(frozen=True, kw_only=True)
class Level:
    """One figure of a machine: percent of what there is."""

    what: str
    percent: int
    most: int

    @property
    def wrong(self) -> bool:
        """Whether it is beyond what is let pass."""
        return self.percent > self.most


def disks(text: str) -> Iterator[Level]:
    """Space and inodes of every file system of `df`, each once; of containers' layers none."""
    seen = set()
    for line in text.splitlines()[1:]:
        source, kind, target, space, inodes = line.split(maxsplit=4)
        layered = kind == "overlay" and target != "/"
        if kind in _OF_MEMORY or layered or source in seen or target.startswith("/run/"):
            continue
        seen.add(source)
        for what, share in ((f"disk {target}", space), (f"inodes of {target}", inodes)):
            if share.strip().endswith("%"):
                yield Level(what=what, percent=int(share.strip().rstrip("%")), most=MOST_DISK)


def memory(text: str) -> Level:
    """How much of /proc/meminfo's memory is taken and cannot be had back."""
    rows = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    total, available = (int(rows[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    taken = round(100 * (total - available) / total)
    return Level(what="memory", percent=taken, most=100 - LEAST_MEMORY)


def tracked(count: int, most: int) -> Level:
    """Connections that are tracked."""
    return Level(what="tracked connections", percent=round(100 * count / most), most=MOST_TRACKED)


def levels(seen: Seen) -> tuple[dict[str, list[Level]], list[str]]:
    """Every figure of every machine, and what could not be read."""
    found: dict[str, list[Level]] = {}
    tables, wrong = texts(seen, DISKS.name)
    for name, text in tables.items():
        found.setdefault(name, []).extend(disks(text))
    files, more = texts(seen, MEMORY.name)
    for name, text in files.items():
        found.setdefault(name, []).extend(memory(each) for each in json.loads(text).values())
    counts, yet = texts(seen, TRACKED.name)
    for name, text in counts.items():
        numbers = {path.rpartition("_")[2]: int(each) for path, each in json.loads(text).items()}
        if len(numbers) == 2:
            found.setdefault(name, []).append(tracked(numbers["count"], numbers["max"]))
    return found, [*wrong, *more, *yet]


def _asks(_: Site, machine: Machine) -> Sequence[Question]:
    tracks = machine.role in ("router", *NODES)
    return (DISKS, MEMORY, TRACKED) if tracks else (DISKS, MEMORY)


def judge(seen: Seen) -> Verdict:
    """Of every machine that answers."""
    found, wrong = levels(seen)
    wrong += [
        f"{name}: {each.what} is {each.percent} % full, {each.most} % are let pass"
        for name, listed in found.items()
        for each in listed
        if each.wrong
    ]
    worst = max(
        ((each.percent, name, each.what) for name, listed in found.items() for each in listed),
        default=(0, "nobody", "nothing"),
    )
    fullest = f"the fullest is {worst[1]}'s {worst[2]} ({worst[0]} %)"
    return Verdict(wrong=tuple(wrong), said=f"{plural(len(found), 'machine')}, {fullest}")


CHECK = Check(
    name="disks, memory and connection tables have room",
    layer="machines",
    asks=_asks,
    judge=judge,
    remedy="disk: `du -x --max-depth=2 /` there tells what; a larger `disk`, `memory` or "
    "`routers.limits.conntrack_max` is a setting",
    page="docs/machines.md#what-a-change-does-to-a-machine",
)

"""What was measured: one JSON object a run. Those of a machine are kept in its cache, one a line,
so that a measurement that was cut off goes on; those that the page shows stand beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.cost import Cost
from lab import runs
from lab.paths import CHECKOUT, cache_dir

CHANGE, NO_OP, ASKED, AGAIN = "change", "no-op", "asked", "again"
"""What is done to hosts."""
PREVIEW, UNCHANGED = "preview", "unchanged"
"""What is done to stacks of many workers; ours alone."""
OURS, PLAIN, TUNED = "layered-cloud", "ansible-core", "ansible-core, tuned"
EVERYBODY = (OURS, PLAIN, TUNED)
"""Who does it."""
SHOWN = 5
"""Runs of each thing that the page shows, the newest."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The machine and what was measured on it; two that differ in anything are two tables."""

    cores: int
    cpu: str
    memory_gib: int
    distribution: str
    kernel: str
    pulumi: str
    command: str
    """The command provider's plugin: its version, and whether it is the real one."""
    ansible: str
    python: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run.

    Attributes:
        what, who: as above.
        size: how many hosts, or workers.
        cost: what it took.
        load: the machine's load average over a minute when it began.
        commit, at: of this program; seconds since the epoch.
        bench: where.
    """

    what: str
    who: str
    size: int
    cost: Cost
    load: float
    commit: str
    at: float
    bench: Bench

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Record:
        cost, bench = Cost(**data["cost"]), Bench(**data["bench"])
        return cls(**{**data, "cost": cost, "bench": bench})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be measured: `runs` rounds of each of `who` on `size` hosts or workers, with a
    commit of this program and the peers' environment `venv`; each run is added to the file
    `into`."""

    size: int
    runs: int
    who: tuple[str, ...]
    bench: Bench
    commit: str
    venv: str
    into: str

    def to_json(self) -> str:
        """As `read` takes it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Plan:
        data = json.loads(text)
        bench, who = Bench(**data["bench"]), tuple(data["who"])
        return cls(**{**data, "bench": bench, "who": who})


def path() -> Path:
    """The file with those made on this machine."""
    return cache_dir() / "benchmark.jsonl"


def beside_the_page() -> Path:
    """The file with those that the page shows."""
    return CHECKOUT / "docs" / "benchmark.json"


def append(record: Record, file: Path) -> None:
    """Keep one."""
    runs.append(file, _line(record))


def read(file: Path) -> list[Record]:
    """Those of such a file. A line that was cut off is passed over."""
    return runs.read(file, lambda line: Record.from_dict(json.loads(line)))


def shown(text: str) -> list[Record]:
    """Those of the file beside the page."""
    return [Record.from_dict(each) for each in json.loads(text)]


def keep(records: Iterable[Record]) -> list[Record]:
    """Those that the page shows: of every thing on every machine the newest few, the oldest first;
    of two machines alike in all but what runs on them, only the one that was measured last."""
    ordered = sorted({_line(each): each for each in records}.values(), key=lambda each: each.at)
    newest = {_metal(each.bench): each.bench for each in ordered}
    ordered = [each for each in ordered if newest[_metal(each.bench)] == each.bench]
    kept: dict[tuple[object, ...], list[Record]] = {}
    for each in ordered:
        kept.setdefault((each.bench, each.size, each.who, each.what), []).append(each)
    few = [each for every in kept.values() for each in every[-SHOWN:]]
    return sorted(few, key=lambda each: each.at)


def _metal(bench: Bench) -> tuple[object, ...]:
    return bench.cores, bench.cpu, bench.memory_gib, bench.distribution


def dumped(records: Sequence[Record]) -> str:
    """The file beside the page: a run a line."""
    return "[\n" + ",\n".join(_line(each) for each in records) + "\n]\n"


def _line(record: Record) -> str:
    return json.dumps(asdict(record))


def done(records: Iterable[Record], who: str, operations: Sequence[str], plan: Plan) -> int:
    """How often a side did all of its operations, as the plan has it."""
    wanted = (who, plan.size, plan.bench, plan.commit)
    mine = [
        each.what for each in records if (each.who, each.size, each.bench, each.commit) == wanted
    ]
    return min(mine.count(each) for each in operations)

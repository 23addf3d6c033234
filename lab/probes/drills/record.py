"""Figures of every run, one JSON object a line: they outlive the lab, so that many runs can be had
in several sittings.

New ones go to a file in the cache, since the state goes with the lab. Those that the page shows are
kept beside it, so that others can go on from there on another machine, and count again. Each line
says which tree it was measured with (`lab.trials.content`) and at which commit.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from lab import runs
from lab.paths import CHECKOUT, cache_dir
from lab.probes.drills.stream import Felt
from lab.trials import content


@cache
def tree() -> str:
    """The content of the tree that this process runs."""
    return content()


@cache
def commit() -> str:
    """Its commit, with a `+` when something but documents was changed since."""

    def git(*words: str) -> str:
        argv = ["git", "-C", str(CHECKOUT), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", ".", ":!docs")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run of one drill.

    Attributes:
        drill: its name.
        victim: who was hit.
        felt: from the breaking to the mending.
        back: from the mending until all was well again.
        healed: seconds from the mending until all was well again.
        content, commit, at: the tree, its commit, seconds since the epoch.
        profile: of the datacentre it ran in; empty for the one that `make up` makes, of which alone
            the page tells.
        broken: why it was not well again; empty when it was.
        load: the machine's load average of a minute when it began; None where it was not kept. Of
            processes that wait for a core, more than a few for each core are felt as gaps.
        up: what a second `up` changed; None when it was not asked.
    """

    drill: str
    victim: str
    felt: Felt
    back: Felt
    healed: float
    content: str
    commit: str
    at: float
    profile: str = ""
    broken: str = ""
    up: int | None = None
    load: float | None = None

    @classmethod
    def from_json(cls, line: str) -> Record:
        data = json.loads(line)
        return cls(**{**data, "felt": Felt(**data["felt"]), "back": Felt(**data["back"])})


SHOWN = 20
"""Runs of each drill that the page shows, the newest."""


def path() -> Path:
    """The file with those made on this machine."""
    return cache_dir() / "drills.jsonl"


def beside_the_page() -> Path:
    """The file with those that the page shows."""
    return CHECKOUT / "docs" / "failures.jsonl"


def append(record: Record) -> None:
    """Keep one."""
    runs.append(path(), json.dumps(asdict(record)))


def read() -> list[Record]:
    """All that are known, the oldest first. A line that a cut-off run left half written, or that an
    older version wrote, is passed over."""
    shown = runs.read(beside_the_page(), Record.from_json)
    found = [*shown, *(each for each in runs.read(path(), Record.from_json) if each not in shown)]
    return sorted(found, key=lambda each: each.at)


def keep(records: Sequence[Record], drills: Sequence[str]) -> str:
    """What stands beside the page: the runs that it shows, in the order of the page."""
    shown = [each for name in drills for each in newest(records, name)]
    return "".join(f"{json.dumps(asdict(each))}\n" for each in shown)


def newest(records: Sequence[Record], drill: str) -> list[Record]:
    """A drill's newest records, whichever tree they were measured with: each names its commit."""
    return [each for each in records if each.drill == drill and not each.profile][-SHOWN:]


def done(records: Sequence[Record], drill: str, profile: str) -> int:
    """How many runs of a drill there are in a datacentre, with the tree as it is now."""
    wanted = (drill, profile, tree())
    return sum((each.drill, each.profile, each.content) == wanted for each in records)

"""What a preview of a large stack costs: `python -m tests.preview_of_workers 10 100 1000`.

For each number of workers: seconds, and of CPU the program's own, and those of the engine with the
plugins. Kubernetes' and Proxmox's plugins are stood in for, so that they need not be built; with
`--real` they are the real ones.

With `--unchanged` what an update costs that finds nothing to do: the stack is made first, by
plugins that reach nothing and say that they did what they were asked for, and they are asked
again. `--runs` measures several times; `--json` prints an object a line instead of words.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from lab.engine import Engine, workspace
from lab.engine.engine import OFFLINE
from lab.paths import CHECKOUT
from tests import whole
from tests.kept import states
from tests.offline import engine_of

AT_THE_END = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""The state is written once a run, not after every step: making a thousand workers that nobody
looks at would be hours of it."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run: resources of the stack; seconds, and of CPU the program's and everybody else's; the
    most memory (MiB) that the program had, and that any one of the others had."""

    workers: int
    resources: int
    seconds: float
    program: float
    others: float
    program_mebibytes: int
    other_mebibytes: int

    def __str__(self) -> str:
        return (
            f"{self.workers:5} workers: {self.resources:6} resources, {self.seconds:6.1f} s "
            f"({1000 * self.seconds / self.resources:.0f} ms each); CPU: program "
            f"{self.program:.1f} s, engine and plugins {self.others:.1f} s; at most "
            f"{self.other_mebibytes} MiB"
        )


def measured(workers: int, engine: Engine, *, unchanged: bool) -> Figures:
    """One preview, or one update that finds nothing to do.

    Raises:
        RuntimeError: it finds something.
    """
    before = _used()
    started = time.monotonic()
    done = engine.up() if unchanged else engine.preview(diff=False)
    seconds = time.monotonic() - started
    if unchanged and done.changed:
        raise RuntimeError(f"{workers} workers: {done.changed} changes where nothing changed")
    own, others = (now - then for now, then in zip(_used(), before, strict=True))
    most = [resource.getrusage(who).ru_maxrss // 1024 for who in _WHO]
    return Figures(
        workers=workers,
        resources=sum(done.changes.values()),
        seconds=round(seconds, 3),
        program=round(own, 3),
        others=round(others, 3),
        program_mebibytes=most[0],
        other_mebibytes=most[1],
    )


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _used() -> list[float]:
    used = [resource.getrusage(who) for who in _WHO]
    return [each.ru_utime + each.ru_stime for each in used]


@contextmanager
def made(config: Mapping[str, Any]) -> Iterator[Engine]:
    """An engine whose stack was made, by plugins that reach nothing."""
    text = yaml.safe_dump({"config": dict(config)})
    with workspace(
        "prod",
        program=states.without_asking_proxmox(CHECKOUT),
        config=states.filled_in(text)["config"],
        secrets=states.SECRETS,
        throw_away=True,
        env={OFFLINE: "1", **AT_THE_END},
    ) as engine:
        states.pretend(engine)
        engine.up()
        yield engine


def main(argv: Sequence[str]) -> None:
    """Prints a line for every run."""
    parser = argparse.ArgumentParser(prog="python -m tests.preview_of_workers")
    parser.add_argument("workers", nargs="+", type=int)
    for name in ("--real", "--unchanged", "--json"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args(argv)
    for workers in given.workers:
        config = whole.with_workers(workers)
        opened = made(config) if given.unchanged else engine_of("prod", config, real=given.real)
        with opened as engine:
            for _ in range(given.runs):
                figures = measured(workers, engine, unchanged=given.unchanged)
                print(json.dumps(asdict(figures)) if given.json else figures, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

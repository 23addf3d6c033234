"""What a stack of many workers takes: a preview of it, and an update that finds nothing to do.

No machine is asked: the plugins answer by themselves (`tests.preview_of_workers`, which this runs).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from benchmark import record
from benchmark.cost import CommandError, Cost
from benchmark.record import OURS, PREVIEW, UNCHANGED, Plan, Record
from lab.paths import CHECKOUT

SECONDS = 3600.0
"""That one line may take, and the making of the stack before it."""


def commands(what: str, workers: int, runs: int) -> list[list[str]]:
    """The command lines that measure it so often: a preview has a process each, whose memory is
    then its own; a stack is made once."""
    tool = [sys.executable, "-m", "tests.preview_of_workers", "--json", str(workers)]
    if what == PREVIEW:
        return [tool] * runs
    return [[*tool, "--unchanged", "--runs", str(runs)]] if runs else []


def cost(line: str) -> Cost:
    """What a line of the tool says. Its memory is the program's, and of the others the most that
    one of them had (the engine)."""
    said = json.loads(line)
    return Cost(
        seconds=said["seconds"],
        cpu=round(said["program"] + said["others"], 3),
        hosts_cpu=0.0,
        memory=float(said["program_mebibytes"] + said["other_mebibytes"]),
    )


def measured(plan: Plan, told: Callable[[str], object]) -> None:
    """Measure what is missing of the plan; each run is kept at once.

    Raises:
        CommandError: the tool failed, or said nothing for too long.
    """
    into = Path(plan.into)
    made = record.read(into)
    for what in (PREVIEW, UNCHANGED):
        left = max(0, plan.runs - record.done(made, OURS, (what,), plan))
        for argv in commands(what, plan.size, left):
            load = round(os.getloadavg()[0], 1)
            for line in lines(argv, SECONDS):
                took = cost(line)
                at = round(time.time(), 1)
                one = Record(
                    what=what, who=OURS, size=plan.size, cost=took, load=load,
                    commit=plan.commit, at=at, bench=plan.bench,
                )  # fmt: skip
                record.append(one, into)
                told(f"{plan.size} workers: {what}: {took.seconds:.1f} s; CPU {took.cpu:.1f} s")
                load = round(os.getloadavg()[0], 1)


def lines(argv: Sequence[str], seconds: float) -> Iterator[str]:
    """What a command prints, line by line.

    Raises:
        CommandError: it failed, or a line took longer than `seconds`; it is ended then.
    """
    process = subprocess.Popen(
        list(argv),
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    late = threading.Event()

    def end() -> None:
        late.set()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    assert process.stdout is not None
    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        for line in process.stdout:
            timer.cancel()
            yield line
            timer = threading.Timer(seconds, end)
            timer.start()
        status = process.wait()
    finally:
        timer.cancel()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    if late.is_set() or status:
        why = f"said nothing for {seconds:g} s" if late.is_set() else f"ended with {status}"
        raise CommandError(f"{' '.join(argv[1:])} {why}; what it said stands above")

"""Processes by id *and* start time, so that a reused id is never mistaken for ours."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.paths import CHECKOUT

POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process: its id and its start time in clock ticks since boot (proc(5), field 22)."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Still the same process, and not a zombie."""
        return start_time(self.pid) == self.started

    def signal(self, number: int) -> bool:
        """Send a signal if it is still the same process; returns whether it was."""
        if not self.alive:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return True

    def kill(self, seconds: float = 10.0) -> bool:
        """SIGKILL and wait for the end; returns whether it is gone."""
        self.signal(signal.SIGKILL)
        return wait_until(lambda: not self.alive, seconds)


def start_time(pid: int) -> int | None:
    """Start time of a live process, or None when there is none (a zombie counts as none)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command name may hold spaces and brackets: count from the last one.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def identify(pid: int) -> Process | None:
    """The process of this id as it is now, or None."""
    started = start_time(pid)
    return None if started is None else Process(pid=pid, started=started)


def children(pid: int) -> list[int]:
    """Ids of a process's direct children."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition until it holds or the time is over; returns whether it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return condition()
        time.sleep(POLL_SECONDS)
    return True


def detached(
    argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, in a session of its own; what it prints is added to
    `log`, `env` to its environment."""
    with log.open("ab") as out:
        return subprocess.Popen(
            list(argv),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )

"""What a command costs: seconds, CPU and memory, its own and the hosts', by control groups."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmark.hosts import GROUP, HOSTS
from lab.hypervisor import cgroups

HERE = f"{GROUP}/here"
"""The control group of the command that is measured, with everything that it starts."""
SAMPLE_SECONDS = 0.05
QUIET_SHARE = 0.05
"""Of one core: what hosts may use before the next command begins."""
QUIET_SECONDS = 30.0


class CommandError(RuntimeError):
    """A measured command that failed or did not end; the text ends with its own words."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one command: `seconds` from its start to its end; `cpu` and `hosts_cpu` in seconds;
    `memory` in MiB, the most that its processes had of their own (pages that they share counted
    once), looked at every 50 ms."""

    seconds: float
    cpu: float
    hosts_cpu: float
    memory: float


def measure(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, seconds: float
) -> Cost:
    """Run a command to its end, in a control group of its own; what it prints goes to `log`.

    Whatever it leaves running (connections that are kept for the next one) is ended with it, so
    that every command begins as the first.

    Raises:
        CommandError: it failed, or took longer than `seconds`.
    """
    for group in (GROUP, HOSTS, HERE):
        cgroups.create(group)
    before, hosts_before = used(HERE), used(HOSTS)
    with log.open("wb") as out:
        begun = time.monotonic()
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(cgroups.join, HERE),  # noqa: PLW1509 - joins, nothing else
        )
        with _Watch() as watch:
            try:
                status: int | None = process.wait(seconds)
            except subprocess.TimeoutExpired:
                status = None
            ended = time.monotonic()
    after, hosts_after = used(HERE), used(HOSTS)
    gone = cgroups.kill(HERE)
    process.wait()
    if status != 0 or not gone:
        why = "did not end" if status is None else f"ended with {status}"
        words = log.read_text(errors="replace")[-3000:]
        raise CommandError(f"{' '.join(argv[:4])} … {why} ({ended - begun:.0f} s):\n{words}")
    return Cost(
        seconds=round(ended - begun, 3),
        cpu=round(after - before, 3),
        hosts_cpu=round(hosts_after - hosts_before, 3),
        memory=round(watch.most / (1 << 20), 1),
    )


def settle() -> None:
    """Wait until the hosts do nothing, for a while at most: what one command left to do there
    (HAProxy's old processes) is not the next one's."""
    last = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < last:
        begun, before = time.monotonic(), used(HOSTS)
        time.sleep(0.5)
        if used(HOSTS) - before < QUIET_SHARE * (time.monotonic() - begun):
            return


def used(group: str) -> float:
    """Seconds of CPU that a group's processes ever had."""
    try:
        return int((cgroups.ROOT / "cpuacct" / group / "cpuacct.usage").read_text()) / 1e9
    except FileNotFoundError as lacking:
        raise CommandError(
            f"{lacking.filename}: this machine accounts for no control group's CPU; it needs "
            "the hierarchies of version 1 (cpuacct, memory), as the lab does"
        ) from None


class _Watch:
    """Looks at the memory of the measured group until it is left; `most` is in bytes."""

    def __init__(self) -> None:
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        file = cgroups.ROOT / "memory" / HERE / "memory.stat"
        while not self._over.wait(SAMPLE_SECONDS):
            for line in file.read_text().splitlines():
                if line.startswith("total_rss "):
                    self.most = max(self.most, int(line.split()[1]))

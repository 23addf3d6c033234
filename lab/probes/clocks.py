"""The clocks: who sets each, whether chrony says that it is right, and the runner's beside it.

No namespace holds a wall clock (time_namespaces(7)): machines of one kernel have one. A difference
cannot show there, and a time daemon on one machine sets the clock of all; so what such a lab can
break is that nothing sets the clock but what the stack asked for, and chrony's own word.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.probes.result import Broken, promise, until
from lab.probes.world import World
from ops.checks import clocks
from ops.checks.clocks import DAEMONS, LIMIT, PROCESSES, TRACKING, Tracking, apart, strangers

__all__ = ["DAEMONS", "LIMIT", "TRACKING", "Tracking", "in_sync", "reading", "tracking"]

SETTLE_SECONDS = 30
"""What a chrony that has just begun gets, as in a push (`components/host/agent/clock.py`)."""
READ = ("sh", "-c", "grep ^btime /proc/stat && date +%s.%N")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A machine's clock: seconds that it is ahead of the runner's, at least and at most, and when
    its kernel booted (seconds of the epoch; `btime` of proc_stat(5))."""

    least: float
    most: float
    booted: int

    @property
    def bound(self) -> float:
        """Seconds that lie between the two clocks at most, whichever is ahead."""
        return max(abs(self.least), abs(self.most))

    def decided(self) -> bool:
        """Whether the reading was quick enough to tell on which side of the limit it lies."""
        return self.bound <= LIMIT or self.wrong() is not None

    def wrong(self) -> str | None:
        """How far the clock certainly is beyond the limit, or None."""
        return apart(self.least, self.most, "the runner's")


def in_sync(world: World) -> str:
    """Each clock is set by whom the stack says, in sync by chrony's word where that is chrony, and
    within `LIMIT` of the runner's."""
    servers = world.stack.networks.ntp
    running = {name: world.text(name, PROCESSES) for name in world.machines}
    kept, said = _followed(world) if servers else ([], "no time daemon, as networks.ntp is empty")
    readings = {name: _reading(world, name) for name in world.machines}
    late = [f"{name}: {wrong}" for name, each in readings.items() if (wrong := each.wrong())]
    found = [*strangers(running, servers), *kept, *late]
    promise(not found, "; ".join(found))
    bound = max(each.bound for each in readings.values())
    here = _booted(Path("/proc/stat").read_text())
    shared = sum(each.booted == here for each in readings.values())
    proves = f", which {shared} of them share: one kernel, one clock" if shared else ""
    return f"{len(readings)} machines: {said}; within {bound:.2f} s of the runner's clock{proves}"


def tracking(line: str) -> Tracking:
    """What `chronyc -c tracking` says.

    Raises:
        Broken: the line is no such report.
    """
    try:
        return clocks.tracking(line)
    except ValueError as problem:
        raise Broken(str(problem)) from None


def reading(text: str, before: float, after: float) -> Reading:
    """A machine's clock that was read between two times of the runner's (seconds of the epoch)."""
    there = float(text.rsplit(maxsplit=1)[-1])
    return Reading(least=there - after, most=there - before, booted=_booted(text))


def _followed(world: World) -> tuple[list[str], str]:
    """Complaints of the machines' chronys, and their word."""
    # What is still wrong after the wait is told by the next look.
    with suppress(Broken):
        until(lambda: not _complaints(world)[0], SETTLE_SECONDS, "chrony is not in sync")
    complaints, error = _complaints(world)
    return complaints, f"chrony in sync, at most {error:.3f} s off"


def _complaints(world: World) -> tuple[list[str], float]:
    found, error = [], 0.0
    for name in world.machines:
        done = world.run(name, TRACKING)
        if done.returncode:
            words = (done.stdout + done.stderr).strip()
            found.append(f"{name}: chrony does not answer: {words}")
            continue
        said = tracking(done.stdout)
        error = max(error, said.error)
        if wrong := said.wrong():
            found.append(f"{name}: {wrong}")
    return found, error


def _reading(world: World, name: str) -> Reading:
    def quick() -> Reading | None:
        # The runner is a namespace here: its clock is this process'.
        before = time.time()
        text = world.text(name, READ)
        found = reading(text, before, time.time())
        return found if found.decided() else None

    late = f"{name} answers too slowly to tell its clock to within {LIMIT:.0f} s"
    return until(quick, SETTLE_SECONDS, late)


def _booted(text: str) -> int:
    """The kernel's time of boot (seconds of the epoch) among the lines of /proc/stat."""
    (line,) = [line for line in text.splitlines() if line.startswith("btime ")]
    return int(line.split()[1])

"""Carry out drills and keep their figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from lab import runner
from lab.paths import CHECKOUT
from lab.probes.drills import record
from lab.probes.drills.drill import Drill, NotHere
from lab.probes.drills.record import Record
from lab.probes.drills.stream import felt, flowing
from lab.probes.result import Result
from lab.probes.world import World

LEAD = 1.0
"""Seconds of quiet before the breaking and after all is well: gaps there would be the lab's own."""
NOT_WELL = "NOT well again"
"""In a result's words: the service did not return."""


def once(world: World, drill: Drill) -> Record:
    """One run, from all well to all well.

    Raises:
        NotHere: the stack has not got what the drill breaks.
        Broken: all was not well before, or the stream did not begin.
    """
    victim = drill.victim(world)
    drill.settled(world)
    load = round(os.getloadavg()[0], 1)
    broken = ""
    with flowing(world, drill.target(world)) as flow:
        time.sleep(LEAD)
        begin = time.monotonic()
        try:
            drill.breaks(world, victim)
            time.sleep(drill.window)
        finally:
            mending = time.monotonic()
            drill.mends(world, victim)
        try:
            drill.settled(world)
        except Exception as problem:
            broken = str(problem)
        end = time.monotonic()
        time.sleep(LEAD)
    return Record(
        drill=drill.name,
        victim=victim,
        felt=felt(flow.rows, begin, mending),
        back=felt(flow.rows, mending, end),
        healed=round(end - mending, 1),
        broken=broken,
        content=record.tree(),
        commit=record.commit(),
        at=round(time.time()),
        load=load,
        profile=world.profile,
    )


def judged(drill: Drill, made: Record, seconds: float) -> Result:
    """A run as a result: not ok when the service did not return, when what was promised was
    missed, or when a second `up` found something to do."""
    met = drill.goal.met(made.felt)
    verdict = "met" if met else "missed" if drill.promised else "missed, not promised"
    said = [f"{made.victim}: {made.felt}", f"goal ({drill.goal}) {verdict}"]
    said.append(f"coming back: {made.back}")
    said.append(f"{NOT_WELL}: {made.broken}" if made.broken else f"well in {made.healed:.0f} s")
    if made.up is not None:
        said.append(f"a second up: {made.up} changes")
    ok = not made.broken and not made.up and (met or not drill.promised)
    return Result(drill.name, ok, round(seconds, 3), "; ".join(said))


def changes_of_an_up() -> int:
    """What one more `up` changes.

    Raises:
        RuntimeError: it failed; with its last words.
    """
    done = subprocess.run(
        runner.inside([sys.executable, "-m", "lab.runner", "up"]),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"up failed: {(done.stdout + done.stderr)[-1500:]}")
    return int(json.loads((runner.folder() / "last.json").read_text())["changed"])


def drills(
    world: World,
    chosen: Sequence[Drill],
    runs: int = 1,
    resume: bool = False,
    up: Callable[[], int] | None = None,
) -> Iterator[Result]:
    """Run drills in turn, each `runs` times; a broken one never stops the next.

    Args:
        world: the lab.
        chosen: which.
        runs: how often each.
        resume: whether runs kept before with the same tree count.
        up: asked after each drill how much one more `up` changes.
    """
    for number in range(runs):
        for drill in chosen:
            if resume and record.done(record.read(), drill.name, world.profile) > number:
                continue
            started = time.monotonic()
            try:
                made = once(world, drill)
                if up and not made.broken:
                    made = Record(**{**vars(made), "up": up()})
                record.append(made)
                yield judged(drill, made, time.monotonic() - started)
            except NotHere as reason:
                yield Result(drill.name, True, 0.0, f"not here: {reason}")
            except Exception as problem:
                seconds = round(time.monotonic() - started, 3)
                yield Result(drill.name, False, seconds, f"{problem}" or type(problem).__name__)

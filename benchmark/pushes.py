"""The rounds: every side changes the line on all hosts, then finds nothing to do, in turn."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmark import record
from benchmark.cost import Cost, measure, settle
from benchmark.hosts import AREA, Running, fleet
from benchmark.record import CHANGE, Plan, Record
from benchmark.sides import OPERATIONS, Ansible, Ours, Side, environment, seen, truth
from benchmark.wish import FIRST
from lab.paths import CHECKOUT

COMMAND_SECONDS = 900.0
"""That any one command may take."""
WORK = AREA / "work"
Told = Callable[[str], object]


def sides(running: Sequence[Running], key: Path, plan: Plan) -> dict[str, Side]:
    """Those who are measured, by name."""
    venv = Path(plan.venv)
    everybody: tuple[Side, ...] = (
        Ours(WORK / "ours", running, key),
        Ansible(WORK / "plain", running, key, venv),
        Ansible(WORK / "tuned", running, key, venv, forks=len(running)),
    )
    return {each.name: each for each in everybody if each.name in plan.who}


def order(names: Sequence[str], left: Mapping[str, int]) -> Iterator[str]:
    """Whose turn it is: each as often as there are rounds left for it, round by round, and every
    round begins with another one, so that none has always the same before it."""
    for number in range(max(left.values(), default=0)):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            if number < left[name]:
                yield name


def missing(made: Sequence[Record], plan: Plan) -> dict[str, int]:
    """How many rounds each has left."""
    return {
        who: max(0, plan.runs - record.done(made, who, OPERATIONS[who], plan)) for who in plan.who
    }


def measured(plan: Plan, told: Told) -> None:
    """Measure what is missing of the plan; each run is kept at once.

    Raises:
        HostsError, CommandError, Untrue: it cannot go on; what was measured is kept.
    """
    into = Path(plan.into)
    left = missing(record.read(into), plan)
    if not any(left.values()):
        told(f"{plan.size} hosts: all is measured already with this commit")
        return
    with fleet(plan.size, told) as (private, running):
        key = WORK / "key"
        key.parent.mkdir(parents=True, exist_ok=True)
        key.touch(mode=0o600)
        key.write_text(private)
        everybody = sides(running, key, plan)
        # The plugin's launcher lets it keep nothing.
        compiled = [sys.executable, "-m", "compileall", "-q", str(CHECKOUT / "lab" / "plugins")]
        subprocess.run(compiled, env=environment(), check=True)
        seconds = iter(range(FIRST + 1, FIRST + 100_000))
        for name, side in everybody.items():
            if left[name]:
                told(f"{plan.size} hosts: {name}, the first time (not measured)")
                _one(side, CHANGE, next(seconds), running)
        for name in order(list(everybody), left):
            now = next(seconds)
            for what in everybody[name].operations:
                load = round(os.getloadavg()[0], 1)
                cost = _one(everybody[name], what, now, running)
                record.append(
                    Record(
                        what=what, who=name, size=plan.size, cost=cost, load=load,
                        commit=plan.commit, at=round(time.time(), 1), bench=plan.bench,
                    ),
                    into,
                )  # fmt: skip
                told(
                    f"{plan.size} hosts: {name}, {what}: {cost.seconds:.1f} s; CPU {cost.cpu:.1f} "
                    f"s here, {cost.hosts_cpu:.1f} s on the hosts; {cost.memory:.0f} MiB"
                )


def _one(side: Side, what: str, seconds: int, running: Sequence[Running]) -> Cost:
    job, log = side.job(what, seconds), WORK / "log"
    settle()
    before = seen(running)
    cost = measure(job.argv, env=job.env, cwd=job.cwd, log=log, seconds=COMMAND_SECONDS)
    truth(what, running, seconds, before)
    return cost

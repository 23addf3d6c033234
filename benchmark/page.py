"""The figures as a part of docs/benchmark.md. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmark.figures import Goal, Spread
from benchmark.record import (
    AGAIN,
    ASKED,
    CHANGE,
    NO_OP,
    OURS,
    PLAIN,
    PREVIEW,
    TUNED,
    UNCHANGED,
    Bench,
    Record,
)

BEGIN = "<!-- figures: written by `python -m benchmark page` -->"
END = "<!-- end of the figures -->"

ROWS = (
    (CHANGE, OURS, "one line changed"),
    (CHANGE, PLAIN, "one line changed"),
    (CHANGE, TUNED, "one line changed"),
    (NO_OP, OURS, "nothing to do; no host is asked"),
    (AGAIN, OURS, "nothing to do; every host is asked, and mended where it differs"),
    (NO_OP, PLAIN, "nothing to do; every host is asked, and mended where it differs"),
    (NO_OP, TUNED, "nothing to do; every host is asked, and mended where it differs"),
    (ASKED, OURS, "what differs? every host is asked, nothing is mended"),
)
GOALS = (
    (CHANGE, CHANGE, Goal(name="One line changed", factor=1)),
    (NO_OP, NO_OP, Goal(name="Nothing to do", factor=10)),
    (AGAIN, NO_OP, Goal(name="Nothing to do, and every host asked", factor=1)),
)
"""What of ours is held against what of the others."""
COLUMNS = (
    *("what", "by", "runs", "seconds", "CPU-seconds here", "CPU-seconds of the hosts"),
    "peak memory here, MiB",
)
LARGE = ("workers", "what", "runs", "seconds", "CPU-seconds", "peak memory, MiB")
WHOLE = (
    (PREVIEW, "a preview of all of it, of which nothing is there"),
    (UNCHANGED, "an update that finds nothing to do"),
)


class NoPlace(ValueError):
    """A page without the marks between which the figures stand."""


def written(page: str, records: Sequence[Record]) -> str:
    """The page with these figures in the place of those before.

    Raises:
        NoPlace: it has no such place.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise NoPlace(f"the page has not both marks: {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{figures(records)}{END}{tail}"


def figures(records: Sequence[Record]) -> str:
    """A section a machine."""
    benches = list(dict.fromkeys(each.bench for each in records))
    if not benches:
        return "\nNothing is measured yet.\n\n"
    return "".join(
        f"\n{section(bench, [each for each in records if each.bench == bench])}\n"
        for bench in benches
    )


def section(bench: Bench, records: Sequence[Record]) -> str:
    """One machine's: what it is, then a table for every number of hosts."""
    lines = [
        f"### {bench.cores} cores, {bench.memory_gib} GiB, {bench.distribution}",
        "",
        f"{bench.cpu}; Linux {bench.kernel}; Python {bench.python}. Pulumi {bench.pulumi}, command "
        f"provider {bench.command}; ansible-core {bench.ansible}. This program at "
        f"{', '.join(dict.fromkeys(each.commit for each in records))}. The machine's load when a "
        f"run began: {_loads(records)}.",
    ]
    for size in sorted({each.size for each in records if each.what in (CHANGE, NO_OP)}):
        lines += ["", *pushes(size, [each for each in records if each.size == size])]
    large = [each for each in records if each.what in (PREVIEW, UNCHANGED)]
    if large:
        lines += ["", *previews(large)]
    return "\n".join(lines) + "\n"


def previews(records: Sequence[Record]) -> Iterator[str]:
    """The table of stacks of many workers."""
    yield "#### Stacks of many workers"
    yield ""
    yield f"| {' | '.join(LARGE)} |"
    yield "|---" * len(LARGE) + "|"
    for size in sorted({each.size for each in records}):
        for what, words in WHOLE:
            runs = [each.cost for each in records if (each.size, each.what) == (size, what)]
            if runs:
                spreads = (
                    Spread.of([each.seconds for each in runs]),
                    Spread.of([each.cpu for each in runs]),
                    Spread.of([each.memory for each in runs]),
                )
                yield f"| {' | '.join((str(size), words, str(len(runs)), *map(str, spreads)))} |"


def pushes(size: int, records: Sequence[Record]) -> Iterator[str]:
    """The table of that many hosts, and how the goals fare."""
    yield f"#### {size} hosts"
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for what, who, words in ROWS:
        runs = [each.cost for each in records if (each.what, each.who) == (what, who)]
        if runs:
            spreads = (
                Spread.of([each.seconds for each in runs]),
                Spread.of([each.cpu for each in runs]),
                Spread.of([each.hosts_cpu for each in runs]),
                Spread.of([each.memory for each in runs]),
            )
            yield f"| {' | '.join((words, who, str(len(runs)), *map(str, spreads)))} |"
    yield ""
    yield from verdicts(records)


def verdicts(records: Sequence[Record]) -> Iterator[str]:
    """A line a goal, of those that both sides have runs for."""
    for ours, theirs, goal in GOALS:
        mine = _seconds(records, ours, OURS)
        others = [_seconds(records, theirs, who) for who in (PLAIN, TUNED)]
        if mine and all(others):
            yield f"- {goal.judged(mine, others)}"


def _seconds(records: Iterable[Record], what: str, who: str) -> list[float]:
    return [each.cost.seconds for each in records if (each.what, each.who) == (what, who)]


def _loads(records: Sequence[Record]) -> str:
    loads = [each.load for each in records]
    return f"{min(loads):g} to {max(loads):g}"

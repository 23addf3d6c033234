"""The figures as a page (docs/failures.md) and a picture (docs/failures.svg). Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from lab.probes.drills.drill import Drill
from lab.probes.drills.record import SHOWN, Record, newest
from lab.probes.drills.stream import PATIENCE, POOL, RATE

HEAD = f"""# What a failure costs

How long the service is not answered when something breaks, and how many requests are lost.
`python -m lab drill --runs 20` breaks each thing on purpose in the [lab](lab.md), measures, and
writes this page. The last {SHOWN} runs of each are shown, collected over several sittings, with
the commits they were made at; each run's figures are in [failures.jsonl](failures.jsonl). Nothing
below is written by hand.

The measure is {RATE} requests a second from the client outside through the whole chain, half over
new connections, half over {POOL} kept ones; none is tried again, and one without a whole answer of
status 200 after {PATIENCE:g} s is lost. For MetalLB's announcer they go from a router to the
ingress' LoadBalancer IP instead, which is what its node answers for.

![The longest gap of every drill beside its goal](failures.svg)

"""

COLUMNS = (
    *("failure", "runs", "longest gap p50", "p99", "max", "lost of sent", "goal", "kept?"),
    *("coming back: gap max", "lost", "well again after, p50", "`up` afterwards", "at"),
)

TAIL = """
- **Longest gap**: the longest time without one good answer, of the kind of connection that felt
  it more. **Lost of sent**: over all runs, between the failure and its mending (8 s, 12 s for
  nodes, as long as it takes for what is replaced). **Coming back** is the time from the mending
  until every VIP is at home, every node Ready, every server up and every node answers.
- **p99** of fewer than 100 runs is the largest of them (nearest rank): with 20 runs it says no
  more than max.
- **Kept?** A goal is kept when every run kept it. **promised**: where a run misses it, and
  one more too, the tests fail. What is not promised is run and measured by them all the same, and
  the service must return.
- **`up` afterwards**: what one more `up` changed after the drill, where that was asked.
- The lab is one machine: the stream says how late it was itself, and no gap is known more
  exactly than that. In these runs: {lag}. Whatever else it does is felt too: its load (processes
  that want a core, over a minute) was {load} when they began.
"""


@dataclass(frozen=True)
class Summary:
    """One drill's runs that are shown, at least one; gaps in seconds."""

    drill: Drill
    runs: Sequence[Record]

    def gap(self, share: float) -> float:
        """The gap that this share of runs does not exceed (nearest rank)."""
        return rank([each.felt.longest for each in self.runs], share)

    @property
    def kept(self) -> bool:
        """Whether every run kept the goal, and the service returned each time."""
        return all(self.drill.goal.met(each.felt) and not each.broken for each in self.runs)


def rank(values: Iterable[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summaries(drills: Iterable[Drill], records: Sequence[Record]) -> list[Summary]:
    """Every drill that was ever run."""
    found = [Summary(each, newest(records, each.name)) for each in drills]
    return [each for each in found if each.runs]


def page(drills: Sequence[Drill], records: Sequence[Record]) -> str:
    """The whole page."""
    rows = summaries(drills, records)
    known = {each.drill.name: _row(each) for each in rows}
    table = [known.get(each.name) or _unknown(each) for each in drills]
    lags = [run.felt.lag for each in rows for run in each.runs]
    loads = [run.load for each in rows for run in each.runs if run.load is not None]
    load = f"{min(loads):g} to {max(loads):g}" if loads else "not kept"
    lag = f"{max(lags) * 1000:.0f} ms at the most" if lags else "none were kept yet"
    table = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *table]
    physics = [f"- **{each.name}**: {each.physics}." for each in drills if each.physics]
    told = _section("\n## What bounds them\n", physics)
    return HEAD + "\n".join(table) + "\n" + TAIL.format(lag=lag, load=load) + told


def _section(title: str, items: Sequence[str]) -> str:
    """A section of items, each broken into lines of a document's width."""
    wrapped = ["\n".join(wrap(each, 98, subsequent_indent="  ")) for each in items]
    return "\n".join([title, *wrapped]) + "\n"


def _unknown(drill: Drill) -> str:
    cells = [drill.name, "0", "", "", "", "", str(drill.goal), _promise(drill)]
    return f"| {' | '.join(cells)} |{' |' * (len(COLUMNS) - len(cells))}"


def _promise(drill: Drill) -> str:
    return "promised" if drill.promised else "not promised"


def _row(each: Summary) -> str:
    runs = each.runs
    worst = max(run.felt.lost / max(1, run.felt.sent) for run in runs)
    lost = f"{sum(run.felt.lost for run in runs)} of {sum(run.felt.sent for run in runs)}"
    returned = sum(not run.broken for run in runs)
    asked = [run.up for run in runs if run.up is not None]
    cells = [
        each.drill.name,
        str(len(runs)),
        *(f"{each.gap(share):.2f} s" for share in (0.5, 0.99, 1)),
        lost + (f" (worst run {worst:.1%})" if worst and len(runs) > 1 else ""),
        str(each.drill.goal),
        f"{'**yes**' if each.kept else 'no'}, {_promise(each.drill)}",
        f"{max(run.back.longest for run in runs):.2f} s",
        f"{sum(run.back.lost for run in runs)} of {sum(run.back.sent for run in runs)}",
        f"{rank((run.healed for run in runs), 0.5):.0f} s"
        + ("" if returned == len(runs) else f" ({returned} of {len(runs)})"),
        f"{max(asked)} changes" if asked else "",
        ", ".join(dict.fromkeys(run.commit for run in runs)),
    ]
    return f"| {' | '.join(cells)} |"


WIDTH, LEFT, LINE, TOP = 860, 270, 26, 40
MOST = 3.0
"""Seconds at the right edge; a longer bar is cut there and says its length."""


def picture(drills: Sequence[Drill], records: Sequence[Record]) -> str:
    """A bar a drill: its longest gap of all runs, beside the goal where the goal is a gap."""
    rows = summaries(drills, records)
    scale = (WIDTH - LEFT - 80) / MOST
    height = TOP + LINE * len(rows) + 30
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12" role="img" '
        'aria-label="The longest gap of every drill beside its goal">',
        '<text x="10" y="20" font-weight="bold">Longest time without an answer, seconds, '
        "all runs; the line is the goal</text>",
    ]
    bottom = TOP + LINE * len(rows)
    for number in range(int(MOST) + 1):
        x = LEFT + number * scale
        out.append(f'<line x1="{x:g}" y1="{TOP}" x2="{x:g}" y2="{bottom}" stroke="#ddd"/>')
        out.append(f'<text x="{x:g}" y="{bottom + 16}" text-anchor="middle">{number}</text>')
    for index, each in enumerate(rows):
        out += _bar(each, TOP + index * LINE, scale)
    return "\n".join([*out, "</svg>"]) + "\n"


def _bar(each: Summary, y: int, scale: float) -> list[str]:
    gap, goal = each.gap(1), each.drill.goal.gap
    length = min(gap, MOST) * scale
    colour = "#7fb37f" if each.kept else "#d98880"
    name = escape(each.drill.name)
    said = f"{gap:.2f}{' →' if gap > MOST else ''}"
    found = [
        f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end">{name}</text>',
        f'<rect x="{LEFT}" y="{y + 5}" width="{length:g}" height="{LINE - 10}" fill="{colour}"/>',
        f'<text x="{LEFT + length + 6:g}" y="{y + 17}">{said}</text>',
    ]
    if goal is not None:
        x = LEFT + goal * scale
        found.append(
            f'<line x1="{x:g}" y1="{y + 2}" x2="{x:g}" y2="{y + LINE - 2}" '
            'stroke="#222" stroke-width="2"/>'
        )
    return found

"""The stream of requests a drill is measured by, and what was felt in it.

50 requests a second, half of them over new connections, half over kept ones: what a CDN in front
does. Each has `PATIENCE` seconds. The stream says by itself how late it was with each request, so
that a gap of the machine's own making can be told from one of the chain's.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from lab.probes.result import Broken
from lab.probes.world import World, script

RATE = 50
"""Requests a second."""
PATIENCE = 5.0
"""Seconds after which a request counts as lost."""
POOL = 10
"""Kept connections."""
KINDS = ("new", "kept")
LONGEST = 900.0
"""Seconds after which a stream ends by itself."""
BEGIN_SECONDS = 15.0


class Row(NamedTuple):
    """One request: its connection's kind (an index into `KINDS`), when it was begun and when it
    ended (seconds of CLOCK_MONOTONIC), what went wrong (empty: nothing), and how many seconds
    after its due time it was begun."""

    kind: int
    begun: float
    ended: float
    problem: str
    late: float


@dataclass(frozen=True, kw_only=True)
class Felt:
    """What a span of time was like for those who asked.

    Attributes:
        gap: longest time in seconds without a good answer, for each of `KINDS`.
        sent, lost: requests begun in that time, and how many of them got no good answer.
        slowest: seconds of the slowest good answer.
        lag: seconds that the stream itself was late at the most: no gap is known more exactly.
        errors: what the lost ones met, counted.
    """

    gap: dict[str, float]
    sent: int
    lost: int
    slowest: float
    lag: float
    errors: dict[str, int]

    @property
    def longest(self) -> float:
        """The gap of the kind of connections that felt it most."""
        return max(self.gap.values())

    def __str__(self) -> str:
        gaps = ", ".join(f"{seconds:.2f} s {kind}" for kind, seconds in self.gap.items())
        errors = ", ".join(f"{count}x {what}" for what, count in self.errors.items())
        return (
            f"longest without an answer {gaps}; {self.lost} of {self.sent} lost"
            f"{f' ({errors})' if errors else ''}; slowest answer {self.slowest:.2f} s; "
            f"own lag {self.lag:.3f} s"
        )


def felt(rows: Sequence[Row], begin: float, end: float) -> Felt:
    """What was felt from `begin` to `end` (seconds of CLOCK_MONOTONIC). A gap that goes on after
    `end` counts whole, up to the first good answer."""
    inside = [row for row in rows if begin <= row.begun < end]
    good = [row for row in inside if not row.problem]
    return Felt(
        gap={
            name: round(_gap([row for row in rows if row.kind == kind], begin, end), 3)
            for kind, name in enumerate(KINDS)
        },
        sent=len(inside),
        lost=len(inside) - len(good),
        slowest=round(max((row.ended - row.begun for row in good), default=0.0), 3),
        lag=round(max((row.late for row in inside), default=0.0), 3),
        errors=dict(Counter(row.problem for row in inside if row.problem)),
    )


def _gap(rows: Sequence[Row], begin: float, end: float) -> float:
    longest, before = 0.0, begin
    for moment in sorted(row.ended for row in rows if not row.problem and row.ended > begin):
        longest, before = max(longest, moment - before), moment
        if moment >= end:
            return longest
    return max(longest, end - before)


@dataclass(frozen=True)
class Target:
    """From where requests go, and whereto; over TLS where an authority (PEM) is named."""

    place: str
    address: str
    authority: str | None = None


def public(world: World) -> Target:
    """From the client outside through the whole chain: to the CDN's edge where there is one, else
    to the first public VIP."""
    if world.edge is not None:
        return Target("client", world.edge.address, world.edge.authority)
    return Target("client", str(world.stack.routers.vips[0].wan[0]))


@dataclass
class Flow:
    """A stream under way; `rows` is there once it has ended."""

    rows: list[Row] = field(default_factory=list)


@contextmanager
def flowing(world: World, target: Target) -> Iterator[Flow]:
    """A stream that runs from the first answers on until the block ends.

    Raises:
        Broken: it did not begin.
    """
    demo = world.stack.platform.demo
    assert demo is not None
    port = 443 if target.authority else 80
    spec = {"address": target.address, "port": port, "host": demo.host, "path": "/", "rate": RATE}
    spec |= {"timeout": PATIENCE, "pool": POOL, "duration": LONGEST, "ca": target.authority}
    stream = subprocess.Popen(
        world.argv(target.place, ["python3", "-c", script("stream"), json.dumps(spec)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    flow = Flow()
    try:
        assert stream.stdout is not None
        if stream.stdout.readline() != "ready\n":
            _, words = stream.communicate(timeout=BEGIN_SECONDS)
            raise Broken(f"the stream from {target.place} did not begin: {words[-500:]}")
        yield flow
        out, _ = stream.communicate(timeout=PATIENCE + 30)
        flow.rows = [Row(*each) for each in json.loads(out)]
    finally:
        stream.kill()
        stream.wait()


def measured(world: World, duration: float, breaking: Callable[[], object]) -> tuple[float, str]:
    """The longest gap in seconds, and a sentence about the stream, while `breaking` runs and until
    `duration` seconds have passed."""
    with flowing(world, public(world)) as flow:
        begin = time.monotonic()
        breaking()
        time.sleep(max(0.0, begin + duration - time.monotonic()))
        end = time.monotonic()
    seen = felt(flow.rows, begin, end)
    return seen.longest, str(seen)

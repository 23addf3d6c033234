"""What a drill is: who is hit, how, how it is put right, and what may be felt of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.probes.drills.stream import Felt, Target, public
from lab.probes.drills.well import well
from lab.probes.world import World

WINDOW = 8.0
"""Seconds that a drill is watched before the mending."""
LONG_WINDOW = 12.0
"""The same, where requests are counted rather than gaps: 600 of them."""


class NotHere(RuntimeError):
    """The stack has not got what the drill breaks; the text says what is lacking."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What may be felt: `gap` in seconds without a good answer, `lost` as a share of requests."""

    gap: float | None = None
    lost: float | None = None

    def met(self, felt: Felt) -> bool:
        """Whether one run's figures stay within it."""
        return (self.gap is None or felt.longest <= self.gap) and (
            self.lost is None or felt.lost <= self.lost * felt.sent
        )

    def __str__(self) -> str:
        said = [f"{self.gap:g} s"] if self.gap is not None else []
        if self.lost is not None:
            said.append(f"{self.lost * 100:g} % lost" if self.lost else "none lost")
        return ", ".join(said)


def _nothing(world: World, victim: str) -> None:
    """It mends itself."""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One failure.

    Attributes:
        name: a row of the table.
        goal: what may be felt of the failure.
        promised: whether a run that misses the goal is a failed one. Whatever is promised, the
            service must return.
        victim: who is hit, chosen from the running lab. Raises `NotHere`.
        breaks: does it; returns when it is done.
        mends: puts it right, also after a `breaks` that failed half way.
        window: seconds from the end of `breaks` to the mending.
        target: where requests come from and go to.
        settled: returns once all is as before; raises `Broken`.
        physics: for the page, what bounds the figure where a goal is out of reach or says little.
    """

    name: str
    goal: Goal
    promised: bool
    victim: Callable[[World], str]
    breaks: Callable[[World, str], None]
    mends: Callable[[World, str], None] = _nothing
    window: float = WINDOW
    target: Callable[[World], Target] = public
    settled: Callable[[World], object] = well
    physics: str = ""

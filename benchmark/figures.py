"""From runs to what a table says of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The least, the middle and the most of several runs, at least one."""

    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Raises `ValueError` for none."""
        return cls(least=min(values), middle=median(values), most=max(values))

    def __str__(self) -> str:
        return " / ".join(brief(each) for each in (self.least, self.middle, self.most))


def brief(value: float) -> str:
    """Three digits that count, and no more than two behind the point."""
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """That `ours` is `factor` times as fast as the fastest of the others, by the middle runs."""

    name: str
    factor: float

    def judged(self, ours: Sequence[float], others: Sequence[Sequence[float]]) -> str:
        """A sentence: what was found, the goal, and whether it is kept."""
        ratio = min(median(each) for each in others) / median(ours)
        verdict = "kept" if ratio >= self.factor else "**missed**"
        fast = f"{brief(ratio)} times as fast as"
        side = fast if ratio >= 1 else f"{brief(1 / ratio)} times as slow as"
        return (
            f"{self.name}: {side} the faster of the two ways of Ansible "
            f"(goal: {self.factor:g} times as fast): {verdict}."
        )

"""Where the checks enrol themselves, with the sections each reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from settings.models.stack import Stack
from settings.problems import Problem

Check = Callable[[Stack], Iterable[Problem]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One check and the sections of the stack it reads."""

    run: Check
    sections: frozenset[str]


RULES: list[Rule] = []
"""What they find is wrong."""
DOUBTS: list[Rule] = []
"""What they find is odd, and may be meant: a warning."""


def reads(*sections: str) -> Callable[[Check], Check]:
    """Enrol a check that reads these sections and no other."""
    return _enrol(RULES, sections)


def doubts(*sections: str) -> Callable[[Check], Check]:
    """Enrol a check whose findings are warnings."""
    return _enrol(DOUBTS, sections)


def _enrol(rules: list[Rule], sections: tuple[str, ...]) -> Callable[[Check], Check]:
    def enrol(function: Check) -> Check:
        unknown = set(sections) - set(Stack.model_fields)
        if unknown:
            raise ValueError(f"{function.__name__} reads unknown sections {sorted(unknown)}")
        rules.append(Rule(run=function, sections=frozenset(sections)))
        return function

    return enrol

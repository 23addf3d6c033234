"""What a check is: what it asks of which machines, and how the answers are judged. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from ops.question import Answer, Answers, Machine, Question
from ops.site import Site

Layer = Literal["machines", "routers", "balancers", "cluster"]
LAYERS: Final[tuple[Layer, ...]] = ("machines", "routers", "balancers", "cluster")
"""In the order in which they are shown."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was answered: by machine, and by this one (`here`) to questions of its own."""

    site: Site
    now: datetime
    machines: Mapping[str, Answers]
    here: Mapping[str, Answer] = field(default_factory=dict)

    def answered(self, question: str) -> Iterator[tuple[str, Answer]]:
        """Who answered a question, well or not."""
        for name, each in self.machines.items():
            if question in each.answers:
                yield name, each.answers[question]

    def silent(self, machines: Sequence[Machine]) -> list[str]:
        """Those of the machines that answered nothing."""
        return [each.name for each in machines if self.machines[each.name].silent is not None]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is wrong, a sentence each; what was seen where nothing is."""

    wrong: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One promise of a stack that runs.

    `asks` is what a machine is asked, nothing where the check is not about it; `judge` is called
    when a machine that is asked something, or this one, has answered. `remedy` is what to do when
    it does not hold, `page` where that is explained.
    """

    name: str
    layer: Layer
    asks: Callable[[Site, Machine], Sequence[Question]]
    judge: Callable[[Seen], Verdict]
    remedy: str
    page: str
    applies: Callable[[Site], bool] = lambda _: True


def questions(site: Site, machine: Machine, checks: Iterable[Check]) -> list[Question]:
    """What a machine is asked for these checks, each question once."""
    asked = (each for check in checks for each in check.asks(site, machine))
    return list({each.name: each for each in asked}.values())


def texts(seen: Seen, question: str) -> tuple[dict[str, str], list[str]]:
    """What each machine answered well, and a sentence for each answer that is none."""
    good, wrong = {}, []
    for name, answer in seen.answered(question):
        if answer.status:
            wrong.append(f"{name}: {answer.words}")
        else:
            good[name] = answer.out
    return good, wrong


def everybody(*questions: Question) -> Callable[[Site, Machine], Sequence[Question]]:
    """The same of every machine."""
    return lambda _, __: questions


def of_roles(
    *roles: str, asked: Sequence[Question]
) -> Callable[[Site, Machine], Sequence[Question]]:
    """The same of every machine of these roles."""
    return lambda _, machine: asked if machine.role in roles else ()


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 node`, `2 nodes`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"

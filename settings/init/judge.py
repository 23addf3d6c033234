"""Answers, judged by the settings' own rules as soon as there is one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from settings.examples import flow
from settings.files import examine
from settings.init.plan import Plan, misread, plan
from settings.init.plan.addresses import Full, no_room
from settings.init.questions import QUESTIONS
from settings.init.questions.question import Answers, Question
from settings.models.stack import Stack
from settings.problems import NAMESPACE, Problem, SettingsError
from settings.reader import read_config

NAME: Final = "NAME"
"""What the stack's own name is called among the questions."""

_NAMED: Final = ("environment", "cluster.name")
_PLAIN: Final[Any] = Environment(  # noqa: S701 (YAML, each value through `flow`)
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_PLAIN.filters["yaml"] = flow


@dataclass(frozen=True, kw_only=True)
class Told:
    """A problem, and the question whose answer decides it: its flag, NAME, or none."""

    problem: Problem
    flag: str | None

    def __str__(self) -> str:
        known = self.flag is None or self.flag == self.problem.key
        return str(self.problem) if known else f"{self.problem} ({self.flag})"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What answers come to: the file's text, the stack in it, all that is wrong with them, and what
    is odd but may be meant."""

    text: str = ""
    stack: Stack | None = None
    told: list[Told] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def judged(name: str, given: Answers) -> Judged:
    """All there is to say about an answer to every question that applies."""
    wrong = [_told(each, given) for each in misread(given)]
    try:
        text = render(name, plan(given))
    except Full as error:
        return Judged(told=_once(wrong, [_told(no_room(error), given)]))
    try:
        found = examine(read_config(text, f"Pulumi.{name}.yaml"))
    except SettingsError as error:
        return Judged(text=text, told=_once(wrong, [_told(each, given) for each in error.problems]))
    told = _once(wrong, [_told(each, given) for each in found.problems])
    return Judged(text=text, stack=found.stack, told=told, warnings=found.warnings)


def by_now(name: str, given: Answers) -> list[Told]:
    """What is wrong with the answers there are; others stand in for those that are not there yet,
    and nothing is said of these."""
    whole = dict(given)
    for each in QUESTIONS:
        if each.name not in whole and each.applies(whole):
            whole[each.name] = each.standing_in(whole)
    answered = {NAME, *(f"--{each}" for each in given)}
    return [each for each in judged(name, whole).told if each.flag in answered]


def unasked(flags: Mapping[str, str], given: Answers) -> Iterator[Problem]:
    """Flags of questions that the other answers leave no room for."""
    for each in QUESTIONS:
        if each.name in flags and each.when is not None and each.name not in given:
            refusal = each.when.refusal(given)
            if refusal is not None:
                wrong, right = refusal
                yield Problem(key=each.flag, value=flags[each.name], wrong=wrong, right=right)


def render(name: str, made: Plan) -> str:
    """The file's text."""
    segments: dict[str, Any] = made.segments
    template = _PLAIN.get_template("stack.yaml.j2")
    return str(template.render(name=name, plan=made, segment=lambda each: flow(segments[each])))


def _once(wrong: list[Told], found: list[Told]) -> list[Told]:
    """What could not be read needs no second word about what became of it."""
    known = {each.flag for each in wrong}
    return [*wrong, *(each for each in found if each.flag is None or each.flag not in known)]


def _told(problem: Problem, given: Answers) -> Told:
    if problem.key.startswith("--"):
        return Told(problem=problem, flag=problem.key)
    path = problem.key.removeprefix(f"{NAMESPACE}:")
    nearest = sorted(_decided(path, given))[-1:]
    return Told(problem=problem, flag=next((flag for _, flag in nearest), None))


def _decided(path: str, given: Answers) -> Iterator[tuple[int, str]]:
    """The flags whose answers decide a key, or what it is below, with how near."""
    asked: list[tuple[str, Collection[str]]] = [(NAME, _NAMED)]
    asked += [(each.flag, each.keys) for each in _asked(given)]
    for flag, keys in asked:
        for key in keys:
            for written in (path, re.sub(r"\[\d+\]", "", path)):
                if written == key or written.startswith((f"{key}.", f"{key}[")):
                    yield len(key), flag


def _asked(given: Answers) -> Iterator[Question]:
    return (each for each in QUESTIONS if each.name in given)

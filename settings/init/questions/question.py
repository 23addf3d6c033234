"""What a question is, and when it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from settings.checks.routers_kind import KINDS
from settings.models.base import Form
from settings.problems import Problem

Answers = Mapping[str, str]
"""Name of a question to the answer, as it was written."""

NONE: Final = "-"
"""The answer that there is none of it."""


@dataclass(frozen=True, kw_only=True)
class When:
    """When a question is asked at all. `refusal` is why it is not, as the rest of a problem (what
    is wrong with an answer, and what would be right); None where it is asked. `needs` is the same
    in the words of a flag's help."""

    refusal: Callable[[Answers], tuple[str, str] | None]
    needs: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question: its flag is `--NAME`.

    `default` is what an empty answer means, from the answers before it; None where there must be
    one. `choices` are all that it takes, if few. `keys` are those of the stack that the answer
    decides, without indexes but where only one item is meant. Until there is an answer, `stand_in`
    takes its place where the answers before it are judged: one that refuses none of them. None: the
    default does.

    Of the form of an answer: `number` is of digits alone, `each` holds for every item of a list,
    `among` is the list of whose names it takes some, `one_for` names what there is one item for, in
    this order, and of a `file` the answer is what is in it.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    default: Callable[[Answers], str] | None = None
    choices: tuple[str, ...] = ()
    stand_in: str | None = None
    number: bool = False
    each: Form | None = None
    among: str | None = None
    one_for: Callable[[Answers], list[str]] | None = None
    file: bool = False
    when: When | None = None

    @property
    def flag(self) -> str:
        """As it is written on a command line."""
        return f"--{self.name}"

    def applies(self, given: Answers) -> bool:
        """Whether it is asked, by the answers before it."""
        return self.when is None or self.when.refusal(given) is None

    def standing_in(self, given: Answers) -> str:
        """The answer for as long as there is none."""
        if self.stand_in is not None:
            return self.stand_in
        return "" if self.default is None else self.default(given)

    def misread(self, given: Answers) -> Iterator[Problem]:
        """What no key of the file takes as it was answered, so that the settings never see it."""
        answer = given[self.name]
        if self.choices and answer not in self.choices:
            yield self._wrong(answer, "is no choice", f"write {either(self.choices)}")
        if self.number and not is_number(answer):
            yield self._wrong(answer, "is no number", "write digits")
        items = items_of(answer)
        for item in items:
            if self.each is not None and not re.fullmatch(self.each.pattern, item):
                yield self._wrong(item, self.each.wrong, self.each.right)
        if self.among is not None:
            known = names_of(given[self.among])
            for item in items:
                if item not in known:
                    right = f"write {either(known)}, or {NONE} for none"
                    yield self._wrong(item, f"is nobody's name in --{self.among}", right)
        if self.one_for is not None and len(items) != len(holders := self.one_for(given)):
            right = f"write one for each of {', '.join(holders)}, in this order"
            yield self._wrong(answer, f"has {len(items)} of {len(holders)}", right)

    def _wrong(self, value: str, wrong: str, right: str) -> Problem:
        return Problem(key=self.flag, value=value, wrong=wrong, right=right)


@dataclass(frozen=True)
class Fixed:
    """A default that follows from nothing."""

    text: str

    def __call__(self, given: Answers) -> str:
        """The same whatever was answered."""
        return self.text


def either(words: Sequence[str]) -> str:
    """Words to choose from, as a sentence has them."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def is_number(text: str) -> bool:
    """Whether it is digits alone."""
    return text.isascii() and text.isdigit()


def items_of(text: str) -> list[str]:
    """The items of a list as it is answered; none of the answer that there are none."""
    return [] if text == NONE else [each.strip() for each in text.split(",") if each.strip()]


def names_of(text: str) -> list[str]:
    """The names in a list of NAME=VALUE."""
    return [each.partition("=")[0].strip() for each in items_of(text)]


def with_answer(name: str, *answers: str) -> When:
    """Where another question was answered by one of these."""
    needs = f"--{name}={either(answers)}"
    return _where(lambda given: given.get(name) in answers, needs)


def with_some(name: str) -> When:
    """Where another question was answered, and not by none."""
    return _where(lambda given: given.get(name, NONE) != NONE, f"--{name}")


def _where(holds: Callable[[Answers], bool], needs: str) -> When:
    refusal = ("is of no use here", f"leave it out: it goes with {needs}")
    return When(refusal=lambda given: None if holds(given) else refusal, needs=needs)


def routers_keep(key: str) -> When:
    """Where the routers' kind can keep a key below `routers`."""
    able = either([word for word, asks in KINDS.items() if not asks.lacks(key)])

    def refusal(given: Answers) -> tuple[str, str] | None:
        kind = given["routers"]
        instead = KINDS[kind].instead(key) if kind in KINDS else None
        if instead is None:
            return None
        words = f"is not for --routers={kind}: {instead} (docs/routers.md)"
        return words, f"leave it out, or write --routers={able}"

    return When(refusal=refusal, needs=f"--routers={able}")


def both(one: When, other: When) -> When:
    """Where two conditions hold."""

    def refusal(given: Answers) -> tuple[str, str] | None:
        return one.refusal(given) or other.refusal(given)

    return When(refusal=refusal, needs=f"{one.needs} and {other.needs}")

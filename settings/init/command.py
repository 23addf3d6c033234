"""Asking, judging, and writing: nothing is written before the settings have nothing to say."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from settings.checks import pending
from settings.init.judge import NAME, Judged, by_now, judged, unasked
from settings.init.questions import QUESTIONS, TOPICS
from settings.init.questions.question import Answers, Fixed, Question, either
from settings.keys import command, meaning, required_secrets
from settings.models.stack import Stack
from settings.problems import Problem

Ask = Callable[[str, str | None], str]
"""A question and its default to the answer."""

_PEM: Final = "name a file in PEM, as docs/cluster.md makes it"


class Lacking(Exception):
    """Questions without an answer, and nobody to ask; its argument is their flags."""


class Unread(Exception):
    """A file that an answer names cannot be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """NAME, and a flag for each question."""
    parser.add_argument("name", metavar=NAME, help="the stack's name, such as dev or prod")
    for heading, questions in TOPICS.items():
        group = parser.add_argument_group(heading)
        for each in questions:
            group.add_argument(each.flag, dest=each.name, metavar="ANSWER", help=_help(each))


def _help(question: Question) -> str:
    said = [_worded(question)]
    if question.when is not None:
        said.append(f"with {question.when.needs}")
    if isinstance(question.default, Fixed):
        said.append(f"default {question.default.text}")
    elif question.default is None:
        said.append("needed")
    return "; ".join(said)


def _worded(question: Question) -> str:
    choice = f" ({either(question.choices)})" if question.choices else ""
    return f"{question.text}{choice}"


def init(
    options: argparse.Namespace, folder: Path, asked: TextIO | None, told: TextIO, out: TextIO
) -> int:
    """Writes `Pulumi.NAME.yaml` into `folder`; questions go to `told`, their answers come from
    `asked` (None: nobody is there). Exit status: 0 written, 1 refused, 2 an answer is lacking."""
    name = str(options.name)
    path = folder / f"Pulumi.{name}.yaml"
    if os.path.lexists(path):
        out.write(f"{path}: is there already; choose another name, or move it away\n")
        return 1
    flags = {
        each.name: str(answer).strip()
        for each in QUESTIONS
        if (answer := getattr(options, each.name)) is not None
    }
    writer = _Writer(name=name, path=path, told=told, out=out)
    try:
        if asked is None:
            return writer.by_flags(flags)
        return writer.by_questions(flags, _asker(asked, told))
    except Lacking as error:
        told.write(f"no answer to {error}; nobody is there to ask, so give each as a flag\n")
        return 2
    except (EOFError, KeyboardInterrupt):
        told.write("\nnothing was written\n")
        return 1


@dataclass(frozen=True, kw_only=True)
class _Writer:
    """Of one stack file; its methods return an exit status."""

    name: str
    path: Path
    told: TextIO
    out: TextIO

    def by_flags(self, flags: Mapping[str, str]) -> int:
        """Nobody is asked: all that is wrong is told at the end, at once."""
        given = answers(flags)
        wrong = [*unasked(flags, given)]
        for each in QUESTIONS:
            if each.file and each.name in given:
                try:
                    given[each.name] = _content(each, given[each.name])
                except Unread as error:
                    wrong.append(error.problem)
                    given[each.name] = ""
        found = judged(self.name, given)
        known = {each.key for each in wrong}
        told = [str(each) for each in found.told if each.flag not in known]
        return self._write(found, [*map(str, wrong), *told])

    def by_questions(self, flags: Mapping[str, str], ask: Ask) -> int:
        """Each answer is judged when it is given, and asked for again when it is refused."""
        given: dict[str, str] = {}
        if wrong := by_now(self.name, given):
            return self._write(Judged(), [str(each) for each in wrong])
        for each in QUESTIONS:
            flag = flags.get(each.name)
            if not each.applies(given):
                unused = {} if flag is None else {each.name: flag}
                self.told.writelines(f"  {line}\n" for line in unasked(unused, given))
                continue
            given[each.name] = self._answer(each, flag, given, ask)
        found = judged(self.name, given)
        return self._write(found, [str(each) for each in found.told])

    def _answer(self, question: Question, flag: str | None, given: Answers, ask: Ask) -> str:
        default = None if question.default is None else question.default(given)
        answer = flag
        while True:
            if answer is None:
                answer = ask(_worded(question), default)
            refused, content = _refused(self.name, {**given, question.name: answer}, question)
            if not refused:
                return content
            self.told.writelines(f"  {line}\n" for line in refused)
            answer = None

    def _write(self, found: Judged, wrong: Sequence[str]) -> int:
        if found.stack is None or wrong:
            self.out.writelines(f"{each}\n" for each in wrong)
            self.told.write("nothing was written\n")
            return 1
        try:
            with self.path.open("x", encoding="utf-8") as file:
                file.write(found.text)
        except OSError as error:
            self.out.write(f"{self.path}: cannot be written: {error.strerror}\n")
            return 1
        left = _left(self.name, self.path, found.stack, found.warnings)
        self.out.writelines(f"{line}\n" for line in left)
        return 0


def _refused(name: str, given: dict[str, str], question: Question) -> tuple[list[str], str]:
    """What is wrong since this answer, and what it comes to: itself, or what is in its file."""
    if question.file:
        try:
            given[question.name] = _content(question, given[question.name])
        except Unread as error:
            return [str(error)], ""
    return [str(each) for each in by_now(name, given)], given[question.name]


def _content(question: Question, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        wrong = f"cannot be read: {error.strerror}"
    except ValueError:
        wrong = "is no text"
    raise Unread(Problem(key=question.flag, value=path, wrong=wrong, right=_PEM))


def answers(flags: Mapping[str, str]) -> dict[str, str]:
    """An answer to every question that applies: its flag, or its default.

    Raises:
        Lacking: neither is there.
    """
    given: dict[str, str] = {}
    lacking: list[str] = []
    for each in QUESTIONS:
        if not each.applies(given):
            continue
        if each.name in flags:
            given[each.name] = flags[each.name]
        elif each.default is not None:
            given[each.name] = each.default(given)
        else:
            lacking.append(each.flag)
            given[each.name] = each.standing_in(given)
    if lacking:
        raise Lacking(", ".join(lacking))
    return given


def _asker(asked: TextIO, told: TextIO) -> Ask:
    def ask(question: str, default: str | None) -> str:
        while True:
            told.write(f"{question}{'' if default is None else f' [{default}]'}: ")
            told.flush()
            line = asked.readline()
            if not line:
                raise EOFError
            if answer := line.strip() or default:
                return answer

    return ask


def _left(name: str, path: Path, stack: Stack, warnings: Sequence[Problem]) -> Iterator[str]:
    yield f"wrote {path}"
    yield ""
    yield "Before `pulumi up`, the secrets, which no file holds in clear:"
    yield f"  pulumi stack init {name}"
    for secret in required_secrets(stack):
        yield f"  {command(secret, name)}"
        yield f"    {meaning(secret, stack)}"
    yield ""
    yield "and what only you can fill in:"
    yield from (f"  {each}" for each in pending(stack))
    yield ""
    if warnings:
        yield "What may surprise you:"
        yield from (f"  {each}" for each in warnings)
        yield ""
    yield f"`python -m settings check {path}` says what is left."

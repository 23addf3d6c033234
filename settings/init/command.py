"""Asking, judging, and writing: nothing is written before the settings have nothing to say."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from settings.checks import pending
from settings.examples import flow
from settings.files import examine
from settings.init.plan import Full, Plan, misread, no_room, plan
from settings.init.questions import QUESTIONS, Answers
from settings.keys import command, required_secrets
from settings.models.stack import Stack
from settings.problems import Problem, SettingsError
from settings.reader import read_config

_HERE: Final = Path(__file__).parent
_PLAIN: Final[Any] = Environment(  # noqa: S701 (YAML, each value through `flow`)
    loader=FileSystemLoader(_HERE),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_PLAIN.filters["yaml"] = flow


class Lacking(Exception):
    """Questions without an answer, and nobody to ask; its argument is their flags."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """NAME, and a flag for each question."""
    parser.add_argument("name", metavar="NAME", help="the stack's name, such as dev or prod")
    for each in QUESTIONS:
        words = f"{each.text} ({' or '.join(each.choices)})" if each.choices else each.text
        parser.add_argument(f"--{each.name}", dest=each.name, metavar="ANSWER", help=words)


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
    try:
        given = answers(vars(options), _asker(asked, told))
    except Lacking as error:
        told.write(f"no answer to {error}; nobody is there to ask, so give each as a flag\n")
        return 2
    except (EOFError, KeyboardInterrupt):
        told.write("\nnothing was written\n")
        return 1
    text, stack, problems = judged(name, given)
    if stack is None or problems:
        out.writelines(f"{each}\n" for each in problems)
        told.write("nothing was written\n")
        return 1
    return _written(name, path, text, stack, out)


def _written(name: str, path: Path, text: str, stack: Stack, out: TextIO) -> int:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        out.write(f"{path}: cannot be written: {error.strerror}\n")
        return 1
    out.writelines(f"{line}\n" for line in _left(name, path, stack))
    return 0


Ask = Callable[[str, str | None], str]
"""A question and its default to the answer."""


def answers(flags: Mapping[str, Any], ask: Ask | None) -> Answers:
    """An answer to every question that applies: its flag, or what is asked, or its default.

    Raises:
        Lacking: nobody to ask, and no default.
    """
    given: dict[str, str] = {}
    lacking: list[str] = []
    for each in QUESTIONS:
        if lacking and each.default is not None:
            continue
        if not lacking and not each.applies(given):
            continue
        flag = flags.get(each.name)
        if flag is not None:
            given[each.name] = str(flag).strip()
            continue
        default = None if each.default is None else each.default(given)
        if ask is not None:
            choice = f" ({' or '.join(each.choices)})" if each.choices else ""
            given[each.name] = ask(f"{each.text}{choice}", default)
        elif default is not None:
            given[each.name] = default
        else:
            lacking.append(f"--{each.name}")
    if lacking:
        raise Lacking(", ".join(lacking))
    return given


def _asker(asked: TextIO | None, told: TextIO) -> Ask | None:
    if asked is None:
        return None

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


def judged(name: str, given: Answers) -> tuple[str, Stack | None, list[Problem]]:
    """The file's text, the stack in it, and everything that is wrong with the answers."""
    wrong = list(misread(given))
    try:
        text = render(name, plan(given))
    except Full as error:
        return "", None, [*wrong, no_room(error)]
    try:
        found = examine(read_config(text, f"Pulumi.{name}.yaml"))
    except SettingsError as error:
        return text, None, [*wrong, *error.problems]
    return text, found.stack, [*wrong, *found.problems]


def render(name: str, made: Plan) -> str:
    """The file's text."""
    template = _PLAIN.get_template("stack.yaml.j2")
    segments: dict[str, Any] = made.segments
    return str(template.render(name=name, plan=made, segment=lambda each: flow(segments[each])))


def _left(name: str, path: Path, stack: Stack) -> Sequence[str]:
    secrets = [f"  {command(each, name)}" for each in required_secrets(stack)]
    return [
        f"wrote {path}",
        "",
        "Before `pulumi up`, the secrets, which no file holds in clear:",
        f"  pulumi stack init {name}",
        *secrets,
        "",
        "and what only you can fill in:",
        *(f"  {each}" for each in pending(stack)),
        "",
        f"`python -m settings check {path}` says what is left.",
    ]

"""Stacks out of configurations and stack files, without an engine: for editors, pre-commit, tests
and the lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from settings.checks import advise, check
from settings.configuration import Given, given
from settings.keys import SECRETS, SECTIONS
from settings.models.stack import Stack
from settings.models.topology import derived
from settings.problems import MOST_TOLD, Problem, SettingsError, untold
from settings.reader import Config, Location, read_bytes, read_config
from settings.scan import Scan, scan
from settings.translate import translate
from settings.words import closest

__all__ = ["Findings", "examine", "inspect", "load_stack", "parse_stack", "read_config"]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What reading a configuration came to: the stack, if every section could be read, what is
    wrong with it, and what is odd but may be meant."""

    stack: Stack | None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def load_stack(source: Path | str) -> Stack:
    """The stack in a file (a path) or in a file's text (a string with a line break).

    Raises `SettingsError` with every problem at once, led by the file's name.
    """
    if isinstance(source, str) and "\n" in source:
        return parse_stack(read_config(source, "stack"), source="stack")
    path = Path(source)
    return parse_stack(read_bytes(path.read_bytes(), str(path)), source=str(path))


def parse_stack(config: Mapping[str, Any], source: str = "") -> Stack:
    """The stack in a configuration: whole keys to plain values (or `secure:` objects).

    Raises `SettingsError` with every problem at once: of every key, then of the whole.
    """
    stack, problems = inspect(config)
    if problems or stack is None:
        raise SettingsError(problems, source)
    return stack


def inspect(config: Mapping[str, Any]) -> tuple[Stack | None, list[Problem]]:
    """The stack, if every section is readable, and every problem found."""
    found = examine(config)
    return found.stack, found.problems


def examine(config: Mapping[str, Any]) -> Findings:
    """Everything there is to say about a configuration.

    Whole-stack checks run as soon as the sections they look at are readable, so that an error in
    one section does not hide a collision between two others.
    """
    here = given(config)
    numbers, ambiguous = _numbers(config, here)
    seen = scan(here.sections, ambiguous, tuple(SECRETS))
    problems = [*here.problems, *seen.problems.values()]
    told = {each.key for each in seen.problems.values()}
    broken = set(here.sealed)
    said = derived(seen.value)
    stack: Stack | None = None
    try:
        stack = Stack.model_validate(said)
    except ValidationError as error:
        errors = _errors(error, broken, seen)
        for location, each in errors[:MOST_TOLD]:
            problems.append(translate(each, location, _written(each["input"], numbers, location)))
        if errors[MOST_TOLD:]:
            problems.append(untold(len(errors) - MOST_TOLD))
    partly = stack if stack is not None else _partial(said, broken)
    problems += [each for each in check(partly, without=broken) if each.key not in told]
    warnings = here.warnings + advise(partly, without=broken)
    return Findings(stack=stack, problems=problems, warnings=warnings)


def _numbers(
    config: Mapping[str, Any], here: Given
) -> tuple[dict[Location, str], dict[Location, tuple[str, str]]]:
    """What the file says of its numbers, counted from `Stack`."""
    if not isinstance(config, Config):
        return {}, {}
    names = {key: name for name, key in here.spelt.items()}

    def counted(location: Location) -> Location | None:
        name = names.get(str(location[0])) if location else None
        return None if name is None else (name, *location[1:])

    numbers = {at: text for each, text in config.numbers.items() if (at := counted(each))}
    ambiguous = {at: both for each, both in config.ambiguous.items() if (at := counted(each))}
    return numbers, ambiguous


def _written(value: object, numbers: Mapping[Location, str], location: Location) -> str | None:
    """The number that stands in the file, unless another was put in its place since."""
    text = numbers.get(location)
    if text is None or not isinstance(value, int | float):
        return None
    try:
        return text if float(text) == float(value) else None
    except (ValueError, OverflowError):
        return None


def _errors(
    error: ValidationError, broken: set[str], seen: Scan
) -> list[tuple[Location, ErrorDetails]]:
    """The errors worth telling, with their locations; the sections they are in become broken.

    A misspelt key is one error, not two: what is missing beside it is what it was meant for.
    """
    found: list[tuple[Location, ErrorDetails]] = []
    sealed = set(broken)
    for each in error.errors(include_url=False):
        location = tuple(step for step in each["loc"] if step != "[key]")
        broken.add(str(location[0]))
        if location[0] not in sealed and not seen.covers(location):
            found.append((location, each))
    missing = {location for location, each in found if each["type"] == "missing"}
    meant = {
        (*location[:-1], close)
        for location, each in found
        if each["type"] == "extra_forbidden"
        if (
            close := closest(
                str(location[-1]), [str(at[-1]) for at in missing if at[:-1] == location[:-1]]
            )
        )
    }
    return [(location, each) for location, each in found if location not in meant]


_SECTION_READERS = {
    name: TypeAdapter[Any](annotation)
    for name, annotation in get_type_hints(Stack, include_extras=True).items()
    if name in SECTIONS
}


def _partial(readable: Mapping[str, Any], broken: set[str]) -> Stack:
    whole: dict[str, Any] = {}
    for name, field_ in Stack.model_fields.items():
        if name in broken:
            continue
        if name in readable:
            whole[name] = _SECTION_READERS[name].validate_python(readable[name])
        else:
            whole[name] = field_.get_default(call_default_factory=True)
    return Stack.model_construct(**whole)

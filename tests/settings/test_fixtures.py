"""Accepted stacks load without a word; each rejected one has one fault and its whole message."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest

from settings import models
from settings.checks.registry import DOUBTS, RULES
from settings.files import examine, inspect, parse_stack
from settings.models.base import Form
from settings.models.stack import Stack
from settings.problems import SettingsError
from tests.settings.fixtures import base_config, patched, patches, read_patch

ACCEPT = patches("accept")
REJECT = patches("reject")
WARN = patches("warn")


def test_the_base_stack_is_accepted() -> None:
    stack = parse_stack(base_config())
    assert [spec.name for _, spec in stack.machines()] == [
        "router-a",
        "router-b",
        "lb-a",
        "lb-b",
        "cp-1",
        "worker-1",
        "worker-2",
    ]


@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_an_unusual_but_sound_stack_is_accepted(path: Path) -> None:
    found = examine(patched(read_patch(path)))
    assert (found.problems, found.warnings) == ([], [])
    assert isinstance(found.stack, Stack)


@pytest.mark.parametrize("path", WARN, ids=lambda path: path.stem)
def test_an_odd_stack_is_accepted_with_exactly_its_warning(path: Path) -> None:
    patch = read_patch(path)
    found = examine(patched(patch))
    assert found.problems == []
    assert [str(each) for each in found.warnings] == patch["expect"]
    assert len(found.warnings) == 1
    assert isinstance(found.stack, Stack)


@pytest.mark.parametrize("path", REJECT, ids=lambda path: path.stem)
def test_a_faulty_stack_is_rejected_with_exactly_its_message(path: Path) -> None:
    patch = read_patch(path)
    with pytest.raises(SettingsError) as caught:
        parse_stack(patched(patch), source="stack.yaml")
    assert str(caught.value).splitlines() == [f"stack.yaml: {line}" for line in patch["expect"]]
    assert caught.value.human


def test_every_rejected_stack_has_one_fault() -> None:
    several = [path.stem for path in REJECT if len(read_patch(path)["expect"]) != 1]
    assert several == []


def test_there_are_many_of_them() -> None:
    assert len(REJECT) >= 250
    assert len(WARN) >= len(DOUBTS)
    assert len(ACCEPT) >= 10


@cache
def told_by_rule() -> dict[str, set[tuple[str, str]]]:
    """What every check says of the fixtures: what is wrong and what would be right."""
    rules = [*RULES, *DOUBTS]
    told: dict[str, set[tuple[str, str]]] = {rule.run.__name__: set() for rule in rules}
    for path in [*REJECT, *WARN]:
        stack, _ = inspect(patched(read_patch(path)))
        if stack is not None:
            for rule in rules:
                told[rule.run.__name__] |= {(each.wrong, each.right) for each in rule.run(stack)}
    return told


def test_every_check_speaks_in_some_fixture() -> None:
    assert [name for name, said in told_by_rule().items() if not said] == []


def test_no_rule_is_stated_twice() -> None:
    def words(said: tuple[str, str]) -> str:
        """The sentence without what is the stack's: paths, numbers, names."""
        return " ".join(re.findall(r"(?<![\w.])[a-zA-Z']+(?![\w.\[])", " ".join(said)))

    by_words: dict[str, set[str]] = {}
    for name, said in told_by_rule().items():
        for each in said:
            by_words.setdefault(words(each), set()).add(name)
    assert {text: names for text, names in by_words.items() if len(names) > 1} == {}


def test_every_form_of_a_text_is_stated_once() -> None:
    forms: dict[int, Form] = {}
    for module in pkgutil.iter_modules(models.__path__, f"{models.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            for each in getattr(value, "__metadata__", ()):
                if isinstance(each, Form):
                    forms[id(each)] = each
    assert len(forms) > 10
    assert len({each.pattern for each in forms.values()}) == len(forms)
    assert len({each.wrong for each in forms.values()}) == len(forms)

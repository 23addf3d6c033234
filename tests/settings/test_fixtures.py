"""Accepted stacks load without a word; each rejected one has one fault and its whole message."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.checks.registry import RULES
from settings.files import inspect, parse_stack
from settings.models.stack import Stack
from settings.problems import SettingsError
from tests.settings.fixtures import base_config, patched, patches, read_patch

ACCEPT = patches("accept")
REJECT = patches("reject")


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
    stack, problems = inspect(patched(read_patch(path)))
    assert problems == []
    assert isinstance(stack, Stack)


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
    assert len(REJECT) >= 100
    assert len(ACCEPT) >= 10


def test_every_check_speaks_in_some_rejected_stack() -> None:
    spoken: set[str] = set()
    for path in REJECT:
        stack, _ = inspect(patched(read_patch(path)))
        if stack is not None:
            spoken |= {rule.run.__name__ for rule in RULES if list(rule.run(stack))}
    assert {rule.run.__name__ for rule in RULES} - spoken == set()

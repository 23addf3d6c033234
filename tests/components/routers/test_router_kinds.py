"""Kinds of routers: the settings' words, and one contract that each fills."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pulumi
import pytest

from components.routers.contract import Contract, Kind
from components.routers.kinds import KINDS, with_baseline
from settings.models import Routers
from tests.components import rendered, stacks
from tests.components.mocks import run_program


def test_every_word_of_the_settings_has_its_kind() -> None:
    assert set(KINDS) == set(get_args(Routers.model_fields["kind"].annotation))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_hands_on_everything_the_layers_around_it_need(kind: str) -> None:
    stack = stacks.two_groups()
    handed: list[Contract] = []

    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        before = pulumi.ComponentResource("test:index:Before", "before")
        options = pulumi.ResourceOptions(parent=parent, depends_on=[before])
        handed.append(KINDS[kind].make(rendered.routers_args(stack), options))

    seen = run_program(program)
    (given,) = handed

    def empty(value: Any) -> bool:
        return not value

    assert [each.name for each in fields(given) if empty(getattr(given, each.name))] == []
    assert set(given.owners.values()) == set(given.configurations)
    assert set(given.origins) <= set(given.public_vips)
    parent = seen.one("test:index:Parent", "parent").urn
    made = [each for each in seen.resources if each.parent == parent]
    assert {each.name for each in made} >= {f"{name}-routers" for name in given.configurations}


def test_an_appliance_is_given_no_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = stacks.lab()
    machines = stacks.machines(stack, "router")
    assert with_baseline(stack.routers, machines) == machines

    appliance = Kind(make=KINDS["linux"].make, baseline=False)
    monkeypatch.setattr("components.routers.kinds.KINDS", {"linux": appliance})
    assert list(with_baseline(stack.routers, machines)) == []

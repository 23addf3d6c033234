"""The program itself, with every shipped stack, breaks no rule."""

from __future__ import annotations

import pytest

from policy.rules import Resource, violations
from tests.whole import STACKS, planned


@pytest.mark.parametrize("name", STACKS)
def test_a_shipped_stack_breaks_no_rule(name: str) -> None:
    plan = planned(name)
    resources = [
        Resource(type=each.type, name=each.name, properties=each.inputs) for each in plan.resources
    ]
    assert violations(resources) == []
    assert len([each for each in resources if each.type.endswith(":VmLegacy")]) >= 4


def test_production_protects_its_machines() -> None:
    machines = planned("prod").of_type("proxmoxve:index/vmLegacy:VmLegacy")
    assert machines
    assert [each.name for each in machines if not each.protect] == []


def test_a_new_machine_is_pushed_to_again_without_asking_the_old_one() -> None:
    """A command that were replaced with its machine would first be deleted on the old one, which
    may be dead: it must follow by its connection instead."""
    plan = planned("lab")
    machines = {each.urn for each in plan.of_type("proxmoxve:index/vmLegacy:VmLegacy")}
    commands = plan.of_type("command:remote:Command")
    assert commands
    assert [each.name for each in commands if each.replace_with] == []
    assert [each.name for each in commands if each.deleted_with not in machines] == []

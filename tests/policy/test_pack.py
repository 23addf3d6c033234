"""The policy pack hands every rule to the engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from policy import rules

pytest.importorskip("pulumi_policy", reason="the package pulumi-policy is not installed")


def test_every_rule_is_a_policy() -> None:
    from policy.__main__ import policies

    assert [each.name for each in policies()] == [
        rule.name for rule in (*rules.RULES, *rules.STACK_RULES)
    ]


def test_a_resource_policy_reports_its_own_type_only() -> None:
    from policy.__main__ import resource_policy

    policy: Any = resource_policy(next(each for each in rules.RULES if each.type == rules.RELEASE))
    told: list[str] = []
    for type_ in (rules.RELEASE, rules.VM):
        args = SimpleNamespace(resource_type=type_, name="cilium", props={"version": "latest"})
        policy.validate(args, lambda message, urn=None: told.append(message))
    assert told == [
        "cilium may install another chart tomorrow: set version to an exact one",
    ]


def test_a_stack_policy_names_the_resource_it_reports() -> None:
    from policy.__main__ import stack_policy

    policy: Any = stack_policy(rules.STACK_RULES[0])
    told: list[tuple[str, str | None]] = []
    resources = [
        SimpleNamespace(resource_type=rules.VM, name=name, props={"vmId": 7}, urn=f"urn:{name}")
        for name in ("a", "b")
    ]
    policy.validate(
        SimpleNamespace(resources=resources), lambda message, urn=None: told.append((message, urn))
    )
    assert told == [("b has the id 7, which is a's: give each its own", "urn:b")]

"""The policy pack hands every rule to the engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from policy import rules, table

pytest.importorskip("pulumi_policy", reason="the package pulumi-policy is not installed")


def test_every_rule_is_a_policy() -> None:
    from policy.__main__ import policies

    assert [each.name for each in policies()] == [
        rule.name for rule in (*table.RULES, *table.STACK_RULES)
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
        SimpleNamespace(
            resource_type=rules.VM, name=name, props={"vmId": 7}, urn=f"urn:{name}", opts=None
        )
        for name in ("a", "b")
    ]
    policy.validate(
        SimpleNamespace(resources=resources), lambda message, urn=None: told.append((message, urn))
    )
    assert told == [("b has the id 7, which is a's: give each its own", "urn:b")]


def told_by(name: str, *resources: SimpleNamespace) -> list[str]:
    from policy.__main__ import stack_policy

    policy: Any = stack_policy(next(each for each in table.STACK_RULES if each.name == name))
    told: list[str] = []
    policy.validate(
        SimpleNamespace(resources=list(resources)), lambda message, urn=None: told.append(message)
    )
    return told


def resource(type_: str, *, protect: bool = False, **props: Any) -> SimpleNamespace:
    options = SimpleNamespace(protect=protect)
    return SimpleNamespace(resource_type=type_, name="it", props=props, urn="u", opts=options)


def test_the_pack_sees_what_is_protected_and_what_the_stack_lets_go() -> None:
    assert told_by("stateful-is-protected", resource(rules.VM, protect=True)) == []
    assert len(told_by("stateful-is-protected", resource(rules.VM))) == 1
    machines = resource("layered-cloud:machines:Machines", replaceable=["*"])
    assert told_by("stateful-is-protected", resource(rules.VM), machines) == []


def test_the_pack_judges_secrets_only_where_none_may_stand() -> None:
    """The engine hands it every secret in clear: it cannot tell which are marked."""
    key = "-----BEGIN OPENSSH PRIVATE KEY-----"
    pushed = resource(rules.COMMAND, stdin=key, connection={"privateKey": key}, create="cat")
    assert told_by("secret-is-not-plain", pushed) == []
    shown = resource(rules.COMMAND, create=f"echo {key}")
    assert len(told_by("secret-is-not-plain", shown)) == 1


def test_the_pack_starts_as_the_engine_starts_it() -> None:
    """With its own directory as the root, and nothing of the checkout on the path."""
    folder = Path(__file__).parents[2] / "policy"
    program = (
        "import runpy, pulumi_policy\n"
        "pulumi_policy.PolicyPack = lambda **given: print(given['name'], len(given['policies']))\n"
        f"runpy.run_path({str(folder)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    expected = f"layered-cloud {len(table.RULES) + len(table.STACK_RULES)}\n"
    assert (done.returncode, done.stdout) == (0, expected), done.stderr

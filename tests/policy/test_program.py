"""The program itself, with every shipped stack, breaks no rule."""

from __future__ import annotations

from functools import cache
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from policy import closed, keeping
from policy.rules import ROLES, RULES, SECRET, VM, Resource, Rule
from policy.table import faults
from settings.models import stack
from tests import whole
from tests.components.mocks import Registered
from tests.whole import STACKS, config_of, planned, registered

UNMET = {
    "service-keeps-the-client-address": "the Services that the program has such are a chart's",
}
"""Rules that concern nothing of the program's own, and why they are there."""


@cache
def resources_of(name: str) -> list[Resource]:
    return resources_in(planned(name))


def resources_in(plan: Registered) -> list[Resource]:
    return [
        Resource(
            type=each.type,
            name=each.name,
            properties=each.inputs,
            protect=each.protect,
            shown={**each.inputs, **dict.fromkeys(each.secret_inputs, SECRET)},
        )
        for each in plan.resources
    ]


def met_by(rule: Rule) -> list[Resource]:
    """What of the shipped stacks a rule is about."""
    return [
        each
        for name in STACKS
        for each in resources_of(name)
        if each.type == rule.type and rule.concerns(each)
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_about_something_that_the_program_makes(rule: Rule) -> None:
    assert bool(met_by(rule)) == (rule.name not in UNMET), (
        "no resource of the shipped stacks is what `concerns` says: a role is a tag of `ROLES` in "
        "policy/rules.py, other words are those of the resource's properties"
    )


def test_no_reason_is_given_for_a_rule_that_is_gone() -> None:
    assert set(UNMET) <= {rule.name for rule in RULES}


def test_the_roles_of_rules_are_the_tags_of_the_programs_machines() -> None:
    tags = [
        set(each.properties["tags"]) & set(ROLES)
        for name in STACKS
        for each in resources_of(name)
        if each.type == VM
    ]
    assert {len(each) for each in tags} == {1}, "a machine has one role"
    assert {role for each in tags for role in each} == set(ROLES)
    assert {role.replace("_", "-") for role in stack.ROLES.values()} == set(ROLES)


def test_the_rules_about_machines_meet_the_list_that_the_program_hands_on() -> None:
    assert keeping.allowed(resources_of("dev")) == {"*"}
    assert [each.type for each in resources_of("prod") if each.type in keeping.STATEFUL] == [VM] * 8


def test_the_rules_about_what_is_open_and_pinned_meet_the_programs_own() -> None:
    ports = [
        port
        for each in resources_of("prod")
        if each.type == closed.ROUTERS
        for port in each.properties["publicPorts"]
    ]
    assert ports == [80, 443]
    forward = {"name": "desk", "port": 2222, "to": "198.18.10.31", "to_port": 22}
    forwarding = registered(config_of("lab", {"routers": {"forwards": [forward]}}))
    told = [
        each.properties["forwards"]
        for each in resources_in(forwarding)
        if each.type == closed.ROUTERS
    ]
    assert told == [[{"name": "desk", "protocol": "tcp", "anybody": True, "first": 22, "last": 22}]]
    assert [each.name for each in resources_of("lab") if closed.is_workload(each)] == ["echo-pods"]


@pytest.mark.parametrize("comment", ["", " me@desk"])
def test_the_rule_about_the_deploy_key_meets_the_programs_gate_and_pushes(comment: str) -> None:
    pair = ed25519.Ed25519PrivateKey.generate()
    private = pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def told(*operators: str) -> list[str]:
        config = config_of("prod", {"access": {"authorized_keys": list(operators)}})
        with mock.patch.dict(whole.SECRETS, deployKey=private):
            found = resources_in(registered(config))
        assert list(closed.deploy_keys(found)) == [public.split()[1]]
        assert len([each for each in found if closed.authorized(each)]) == 8
        return [str(each) for each in faults(found)]

    assert told() == []
    (line,) = told(f"{public}{comment}")
    assert line.startswith("deploy-key-is-the-programs-alone: machines-deploy-key-gate ")


def test_a_secret_that_the_program_showed_would_be_told() -> None:
    """The same resources, with every secret where a plan would show it."""
    told = {
        each.resource
        for each in faults(
            [
                Resource(type=one.type, name=one.name, properties={}, shown=one.properties)
                for one in resources_of("prod")
            ]
        )
        if each.rule == "secret-is-not-plain"
    }
    assert {"cloudflare", "proxmox", "platform-cluster"} <= told


@pytest.mark.parametrize("name", STACKS)
def test_a_shipped_stack_breaks_no_rule(name: str) -> None:
    resources = resources_of(name)
    assert [str(each) for each in faults(resources)] == []
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

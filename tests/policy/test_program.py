"""The program itself, with every shipped stack, breaks no rule."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from pulumi.runtime import config as engine

from policy.rules import Resource, violations
from settings.files import read_config
from tests.components.mocks import Registered, run_program

ROOT = Path(__file__).parent.parent.parent
SECRETS = {
    "proxmoxApiToken": "root@pam!builder=hush",
    "proxmoxSshKey": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "cloudflareApiToken": "hush",
}


def planned(name: str) -> Registered:
    config = read_config((ROOT / f"Pulumi.{name}.yaml").read_text("utf-8"), name)
    flat = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    hidden = {f"layered-cloud:{key}": value for key, value in SECRETS.items()}

    def program() -> None:
        engine.set_all_config({**flat, **hidden}, list(hidden))
        runpy.run_path(str(ROOT / "__main__.py"))

    return run_program(program, preview=True)


@pytest.mark.parametrize("name", ["dev", "prod", "lab"])
def test_a_shipped_stack_breaks_no_rule(name: str) -> None:
    plan = planned(name)
    resources = [
        Resource(type=each.type, name=each.name, properties=each.inputs, protected=each.protect)
        for each in plan.resources
    ]
    assert violations(resources) == []
    assert len([each for each in resources if each.type.endswith(":VmLegacy")]) >= 4


def test_production_protects_its_machines() -> None:
    machines = planned("prod").of_type("proxmoxve:index/vmLegacy:VmLegacy")
    assert machines
    assert [each.name for each in machines if not each.protect] == []


def test_the_commands_provider_is_there_before_any_machine() -> None:
    """The engine deletes a replaced machine's commands first, with a provider it must know by then
    (a default provider is made only when the first command is registered)."""
    plan = planned("lab")
    (provider,) = plan.of_type("pulumi:providers:command")
    commands = plan.of_type("command:remote:Command")
    assert commands
    assert [each.name for each in commands if not each.provider.startswith(provider.urn)] == []
    machines = plan.of_type("proxmoxve:index/vmLegacy:VmLegacy")
    assert [each.name for each in machines if provider.urn not in each.dependencies] == []

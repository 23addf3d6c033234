"""Kinds of routers: the settings' words, and one contract that each fills."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pulumi
import pytest

from components.host.machine import ORDINARY
from components.routers.contract import Contract, Kind
from components.routers.kinds import KINDS, with_baseline
from settings.checks import routers_kind
from settings.checks.routers_kind import Asks
from settings.models import Routers
from settings.models.stack import Stack
from tests.components import rendered, stacks
from tests.components.mocks import run_program

WORDS = set(get_args(Routers.model_fields["kind"].annotation))


def test_every_word_of_the_settings_has_its_kind() -> None:
    assert set(KINDS) == WORDS, "KINDS in components/routers/kinds.py"
    assert set(routers_kind.KINDS) == WORDS, "KINDS in settings/checks/routers_kind.py"


@pytest.mark.parametrize("word", sorted(KINDS))
def test_the_settings_ask_for_what_a_kinds_machines_are_not_given(word: str) -> None:
    kind, asks = KINDS[word], routers_kind.KINDS[word]
    assert asks.host_keys == (not kind.start.cloud_init), "settings/checks/routers_kind.py"
    assert asks.figures == kind.baseline, "settings/checks/routers_kind.py: the exporter's"
    assert kind.start.python or not kind.baseline, "the baseline is pushed with Python"
    assert kind.start.image is None, "which image is the stack's to say"


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

    appliance = Kind(make=KINDS["linux"].make, start=ORDINARY, baseline=False)
    monkeypatch.setattr("components.routers.kinds.KINDS", {"linux": appliance})
    assert list(with_baseline(stack.routers, machines)) == []


HOST_KEY = "ssh-ed25519 AAAA"


def test_what_the_program_cannot_give_an_appliance_is_asked_of_the_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routers_kind, "KINDS", {"linux": Asks(image=True, host_keys=True)})
    routers = stacks.lab().routers.model_copy(update={"host_keys": {"router-x": HOST_KEY}})
    stack: Stack = stacks.lab().model_copy(update={"routers": routers})
    assert [str(each) for each in routers_kind.appliances_bring_their_image_and_keys(stack)] == [
        "layered-cloud:routers.image: is missing: no linux router starts from proxmox.image; write "
        "the appliance's image",
        *(
            f"layered-cloud:routers.host_keys.{name}: is missing: a router without cloud-init "
            "answers with a host key of its own; write its public key, such as: ssh-ed25519 AAAA..."
            for name in ("router-a", "router-b")
        ),
        "layered-cloud:routers.host_keys.router-x: is no router's; write one of router-a, router-b",
    ]


def test_a_distribution_said_of_an_appliance_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routers_kind, "KINDS", {"linux": Asks(image=True, host_keys=True)})
    config = stacks.lab_config()
    image = config["proxmox"]["image"] | {"file_name": "appliance.qcow2"}
    config["routers"]["host_keys"] = dict.fromkeys(("router-a", "router-b"), stacks.HOST_KEY)
    config["routers"]["image"] = image | {"distribution": "bookworm"}
    config["routers"]["machines"][1]["distribution"] = "trixie"

    def told() -> list[str]:
        stack = Stack.model_validate(config)
        return list(map(str, routers_kind.appliances_bring_their_image_and_keys(stack)))

    why = "is not for linux routers, which bring a system of their own; remove it"
    assert told() == [
        f"layered-cloud:routers.machines[1].distribution: trixie {why}",
        f"layered-cloud:routers.image.distribution: bookworm {why}",
    ]

    config["routers"]["machines"][1].pop("distribution")
    image.pop("distribution", None)
    config["routers"]["image"] = image
    assert told() == []

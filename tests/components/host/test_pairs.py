"""Pushes to a pair: the sum of a machine's parts, one machine after the other."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from components.host.pairs import in_turn, push
from components.host.part import Late, Part, Service, Text
from tests.components import stacks
from tests.components.mocks import run_program

COMMAND = "command:remote:Command"


def test_a_push_is_the_sum_of_the_parts_with_their_late_values_and_secrets() -> None:
    machine = stacks.machines(stacks.lab(), "router")[0]
    late = Text(path="/etc/a", content=Late(needs=("word",), render=lambda word: f"say {word}\n"))
    secret = Text(path="/etc/b", content="@@key@@\n", mode="0600", secrets=("key",))
    parts = [
        Part(name="a", files=(late,), services=(Service(name="a.service"),)),
        Part(name="b", files=(secret,), services=(Service(name="b.service"),)),
    ]

    def program() -> None:
        pushed = push(
            machine,
            "demo",
            parts,
            late={"word": pulumi.Output.from_input("hello")},
            secrets={"key": "hidden"},
            epoch="7",
        )
        in_turn([machine.name], "demo", lambda _: pushed, pulumi.ResourceOptions())

    seen = run_program(program)
    sent: dict[str, Any] = json.loads(seen.one(COMMAND, "router-a-demo").inputs["stdin"])["request"]

    assert sent["files"]["/etc/a"]["content"] == "say hello\n"
    assert sent["files"]["/etc/b"]["content"] == "@@key@@\n"
    assert [service["name"] for service in sent["services"]] == ["a.service", "b.service"]
    assert (sent["layer"], sent["epoch"]) == ("demo", "7")
    assert "hidden" in seen.one(COMMAND, "router-a-demo-secrets").inputs["stdin"]


def test_each_machine_waits_for_the_one_before_and_for_what_all_wait_for() -> None:
    machines = {each.name: each for each in stacks.machines(stacks.lab(), "router")}

    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        before = pulumi.CustomResource("test:index:Before", "before")
        made = in_turn(
            ["router-b", "router-a"],
            "demo",
            lambda name: push(machines[name], "demo", ()),
            pulumi.ResourceOptions(parent=parent, depends_on=[before]),
        )
        assert list(made) == ["router-b", "router-a"]

    seen = run_program(program)
    before = seen.one("test:index:Before", "before").urn
    first, second = (seen.one(COMMAND, f"{name}-demo") for name in ("router-b", "router-a"))

    assert before in first.dependencies
    assert {before, first.urn} <= second.dependencies
    assert {each.parent for each in seen.of_type("layered-cloud:host:Configuration")} == {
        seen.one("test:index:Parent", "parent").urn
    }

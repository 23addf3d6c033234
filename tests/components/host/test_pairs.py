"""Pushes to a pair: one machine after the other."""

from __future__ import annotations

import pulumi

from components.host import HostConfigurationArgs
from components.host.pairs import in_turn
from tests.components import stacks
from tests.components.mocks import run_program

COMMAND = "command:remote:Command"


def test_each_machine_waits_for_the_one_before_and_for_what_all_wait_for() -> None:
    machines = {each.name: each for each in stacks.machines(stacks.lab(), "router")}

    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        before = pulumi.CustomResource("test:index:Before", "before")
        made = in_turn(
            ["router-b", "router-a"],
            "demo",
            lambda name: HostConfigurationArgs(machine=machines[name], layer="demo"),
            pulumi.ResourceOptions(parent=parent, depends_on=[before]),
        )
        assert list(made) == ["router-b", "router-a"]

    seen = run_program(program)
    before = seen.one("test:index:Before", "before").urn
    first, second = (seen.one(COMMAND, f"{name}-demo") for name in ("router-b", "router-a"))

    assert before in first.dependencies
    assert {before, first.urn} <= second.dependencies
    assert {first.parent, second.parent} == {seen.one("test:index:Parent", "parent").urn}

"""A script for an appliance, on a mock engine."""

from __future__ import annotations

import pulumi
import pytest

from components.host import Connection, HostScript, HostScriptArgs, Machine
from components.host.errors import HostError
from tests.components.mocks import Registered, run_program

COMMAND = "command:remote:Command"
VM = "test:index:Vm"


def scripted(secret: bool = False, incarnation: str | None = None) -> Registered:
    text = "name it\n"

    def program() -> None:
        machine = Machine(
            name="router-a",
            role="router",
            addresses={},
            interfaces={},
            connection=Connection(host="198.18.0.11", private_key="KEY", host_key="ssh-ed25519 A"),
            vm=pulumi.CustomResource(VM, "router-a"),
            host="pve1",
            incarnation=incarnation,
            entry=(pulumi.CustomResource("test:index:Gate", "gate"),),
        )
        before = pulumi.CustomResource("test:index:Before", "before")
        HostScript(
            "router-a-routers",
            HostScriptArgs(
                machine=machine,
                reader="console",
                text=pulumi.Output.secret(text) if secret else text,
            ),
            pulumi.ResourceOptions(depends_on=[before]),
        )

    return run_program(program)


def test_the_text_goes_by_standard_input_and_nothing_is_taken_away() -> None:
    seen = scripted()
    command = seen.one(COMMAND, "router-a-routers")

    assert command.inputs["create"] == command.inputs["update"] == "console"
    assert command.inputs["stdin"] == "name it\n"
    assert not {"delete", "triggers", "environment"} & set(command.inputs)
    assert (command.inputs["logging"], command.inputs["addPreviousOutputInEnv"]) == ("none", False)
    assert command.secret_inputs == {"connection"}
    waited = {seen.one(f"test:index:{each.title()}", each).urn for each in ("before", "gate")}
    assert waited <= command.dependencies


def test_a_text_with_a_secret_is_one() -> None:
    seen = scripted(secret=True)
    assert "stdin" in seen.one(COMMAND, "router-a-routers").secret_inputs


@pytest.mark.parametrize("incarnation", [None, "another"])
def test_another_machine_gets_it_again(incarnation: str | None) -> None:
    seen = scripted(incarnation=incarnation)
    command, vm = seen.one(COMMAND, "router-a-routers"), seen.one(VM, "router-a")

    assert command.deleted_with == vm.urn
    assert command.replace_with == ((vm.urn,) if incarnation is None else ())
    assert (command.inputs["connection"]["hostKey"] == "ssh-ed25519 A") == (incarnation is None)


@pytest.mark.parametrize("reader", ["", "console\nother"])
def test_a_reader_is_one_command_line(reader: str) -> None:
    machine = Machine(
        name="router-a",
        role="router",
        addresses={},
        interfaces={},
        connection=Connection(host="198.18.0.11", private_key="KEY", host_key="ssh-ed25519 A"),
        vm=None,
        host="pve1",
    )
    args = HostScriptArgs(machine=machine, reader=reader, text="")
    with pytest.raises(HostError, match="must be one command line"):
        HostScript("router-a-routers", args)

"""The component HostAction, on a mock engine."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.host import Connection, HostAction, HostActionArgs, Machine, payload
from tests.components.mocks import Registered, run_program

COMMAND = "command:remote:Command"


class Vm(pulumi.CustomResource):
    def __init__(self, name: str) -> None:
        super().__init__("proxmoxve:index:VmLegacy", name, {})


def act(**over: Any) -> Registered:
    def program() -> pulumi.Output[str]:
        machine = Machine(
            name="cp-1",
            role="control_plane",
            addresses={},
            interfaces={},
            connection=Connection(host="198.18.0.31", private_key="KEY", host_key="ssh-ed25519 A"),
            vm=Vm("cp-1"),
            host="pve1",
        )
        args: dict[str, Any] = {"machine": machine, "name": "init", "do": "kubeadm init", **over}
        return HostAction("cp-1-init", HostActionArgs(**args)).result

    return run_program(program)


def test_an_action_is_one_command_whose_deletion_undoes_it() -> None:
    seen = act(guard="test -e x", undo="kubeadm reset -f")
    command, vm = seen.one(COMMAND, "cp-1-init"), seen.one("proxmoxve:index:VmLegacy", "cp-1")
    assert command.inputs["create"] == command.inputs["update"] == payload.command_line("act")
    assert command.inputs["delete"] == payload.command_line("undo")
    assert "triggers" not in command.inputs
    assert command.parent.endswith("::layered-cloud-lab")
    # Where its component stood between, in the state of a program before.
    (before,) = command.aliases
    assert "::layered-cloud:host:Action::cp-1-init" in before
    assert (command.deleted_with, command.replace_with) == (vm.urn, (vm.urn,))
    assert payload.request_of(command.inputs["stdin"]) == {
        "resource": "cp-1-init",
        "name": "init",
        "do": "kubeadm init",
        "guard": "test -e x",
        "undo": "kubeadm reset -f",
        "result": None,
        "secrets": {},
        "epoch": "1",
        "seconds": 900,
    }


def test_the_texts_are_plain_until_there_are_secrets() -> None:
    assert "stdin" not in act().one(COMMAND, "cp-1-init").secret_inputs
    command = act(secrets={"token": "abc"}).one(COMMAND, "cp-1-init")
    assert "stdin" in command.secret_inputs
    assert payload.request_of(command.inputs["stdin"])["secrets"] == {"token": "abc"}


def test_a_result_is_secret_unless_it_is_said_not_to_be() -> None:
    seen = act(result="cat /etc/kubernetes/admin.conf")
    assert {"stdout", "stderr"} <= set(seen.one(COMMAND, "cp-1-init").additional_secret_outputs)
    assert seen.value == "stdout of cp-1-init"
    plain = act(result="cat /etc/machine-id", result_secret=False)
    assert "stdout" not in plain.one(COMMAND, "cp-1-init").additional_secret_outputs


def test_the_result_that_reaches_the_program_is_marked_secret() -> None:
    def program() -> pulumi.Output[bool]:
        machine = Machine(
            name="m",
            role="worker",
            addresses={},
            interfaces={},
            connection=Connection(host="198.18.0.41", private_key="K", host_key="ssh-ed25519 A"),
            vm=None,
            host="pve1",
        )
        args = HostActionArgs(machine=machine, name="read", result="cat x")
        result = HostAction("m-read", args).result
        return pulumi.Output.from_input(result.is_secret())

    assert run_program(program).value is True


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"name": "Init"}, "name 'Init' must be lower case"),
        ({"do": None}, "it has nothing to do and no result to read"),
        ({"do": None, "result": "x", "guard": "y"}, "a guard without a `do` guards nothing"),
        ({"secrets": {"../x": "v"}}, "secret '../x' must be a plain file name"),
    ],
)
def test_what_no_machine_could_carry_out_is_refused_by_name(
    over: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="host action 'cp-1-init'") as refused:
        act(**over)
    assert message in str(refused.value)

"""The component HostConfiguration, on a mock engine."""

from __future__ import annotations

import dataclasses
import json
from ipaddress import IPv4Interface
from typing import Any

import pulumi
import pytest
from pulumi_command import remote

from components.host import (
    Check,
    ConfirmPolicy,
    Connection,
    File,
    HostConfiguration,
    HostConfigurationArgs,
    Machine,
    Package,
    Repository,
    Service,
    payload,
)
from tests.components.mocks import Registered, Registration, run_program

COMMAND = "command:remote:Command"


class Vm(pulumi.CustomResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("proxmoxve:index:VmLegacy", name, {}, opts)


def machine(vm: pulumi.Resource | None) -> Machine:
    return Machine(
        name="lb-a",
        role="balancer",
        addresses={"management": IPv4Interface("198.18.0.21/24")},
        interfaces={"management": "eth0"},
        connection=Connection(
            host="198.18.0.21",
            private_key=pulumi.Output.secret("PRIVATE-KEY"),
            host_key="ssh-ed25519 AAAA",
        ),
        vm=vm,
        host="pve1",
    )


def push(*, adopted: bool = False, **over: Any) -> Registered:
    """Registers a configuration called lb-a-base of a machine whose VM is called lb-a."""

    def program() -> pulumi.Output[str]:
        args: dict[str, Any] = {
            "machine": machine(None if adopted else Vm("lb-a")),
            "layer": "loadbalancers.base",
            "packages": (Package(name="haproxy", version="2.6.*", hold=True),),
            "files": (File(path="/etc/haproxy/haproxy.cfg", content="timeout client 30s\n"),),
            "checks": (Check(name="haproxy", argv=("haproxy", "-c", "-f", "/etc/haproxy")),),
            "services": (Service(name="haproxy"),),
        }
        args.update(over)
        return HostConfiguration("lb-a-base", HostConfigurationArgs(**args)).generation

    return run_program(program)


def sent(command: Registration) -> dict[str, Any]:
    return payload.request_of(command.inputs["stdin"])


def test_a_push_is_one_command_whose_create_and_update_are_the_same_constant_line() -> None:
    command = push().one(COMMAND, "lb-a-base")
    assert command.inputs["create"] == command.inputs["update"] == payload.command_line("apply")
    assert command.inputs["delete"] == payload.command_line("delete")
    assert "triggers" not in command.inputs
    assert command.inputs["logging"] == remote.Logging.NONE
    assert command.inputs["addPreviousOutputInEnv"] is False


def test_the_command_lives_and_dies_with_the_vm() -> None:
    seen = push()
    vm = seen.one("proxmoxve:index:VmLegacy", "lb-a")
    command = seen.one(COMMAND, "lb-a-base")
    assert command.deleted_with == vm.urn
    assert command.replace_with == (vm.urn,)
    assert command.delete_before_replace


def test_a_machine_that_tells_its_incarnation_is_pushed_to_anew_by_an_update() -> None:
    def run(incarnation: str) -> Registration:
        def program() -> None:
            it = dataclasses.replace(machine(Vm("lb-a")), incarnation=incarnation)
            HostConfiguration("lb-a-base", HostConfigurationArgs(machine=it, layer="base"))

        return run_program(program).one(COMMAND, "lb-a-base")

    first, again, second = run("first"), run("first"), run("second")
    assert first.replace_with == ()
    assert first.deleted_with.endswith("::lb-a")
    assert first.inputs == again.inputs
    changed = {key for key in first.inputs if first.inputs[key] != second.inputs[key]}
    assert changed == {"connection"}
    algorithm, key, comment = first.inputs["connection"]["hostKey"].split()
    assert (algorithm, key) == ("ssh-ed25519", "AAAA")
    assert second.inputs["connection"]["hostKey"].split()[2] != comment


def test_a_machine_without_a_vm_has_its_configuration_really_taken_away() -> None:
    command = push(adopted=True).one(COMMAND, "lb-a-base")
    assert command.deleted_with == ""
    assert command.replace_with == ()


def test_the_connection_checks_the_host_key_and_gives_up_in_bounded_time() -> None:
    connection = push().one(COMMAND, "lb-a-base").inputs["connection"]
    assert connection["hostKey"] == "ssh-ed25519 AAAA"
    assert connection["host"] == "198.18.0.21"
    assert connection["dialErrorLimit"] > 0
    assert connection["perDialTimeout"] > 0


def test_without_secrets_the_input_is_plain_and_shows_every_file() -> None:
    command = push().one(COMMAND, "lb-a-base")
    assert "stdin" not in command.secret_inputs
    assert sent(command)["files"]["/etc/haproxy/haproxy.cfg"] == {
        "content": "timeout client 30s\n",
        "mode": "0644",
        "owner": "root:root",
    }
    assert sent(command)["packages"] == {"haproxy": "2.6.*"}
    assert sent(command)["holds"] == ["haproxy"]


def secret_files() -> tuple[File, ...]:
    return (
        File(
            path="/etc/keepalived/keepalived.conf",
            content="advert_int 0.3\nauth_pass @@auth@@\n",
            mode="0600",
            secrets={"auth": "s3cr3t-vrrp"},
        ),
        File(
            path="/etc/haproxy/site.pem",
            content="-----BEGIN KEY-----",
            mode="0600",
            secret=True,
        ),
    )


def test_secrets_go_by_a_command_of_their_own_and_leave_the_push_plain() -> None:
    seen = push(files=secret_files())
    command, deposit = seen.one(COMMAND, "lb-a-base"), seen.one(COMMAND, "lb-a-base-secrets")
    assert "stdin" in deposit.secret_inputs
    assert sent(deposit) == {
        "layer": "loadbalancers.base",
        "epoch": "1",
        "secrets": {
            "/etc/keepalived/keepalived.conf#auth": "s3cr3t-vrrp",
            "/etc/haproxy/site.pem": "-----BEGIN KEY-----",
        },
    }
    assert "stdin" not in command.secret_inputs
    assert "s3cr3t-vrrp" not in command.inputs["stdin"]
    assert "BEGIN KEY" not in command.inputs["stdin"]
    files = sent(command)["files"]
    assert files["/etc/keepalived/keepalived.conf"]["content"] == (
        "advert_int 0.3\nauth_pass @@auth@@\n"
    )
    assert files["/etc/haproxy/site.pem"]["content"] == "<secret>"
    assert deposit.urn in command.dependencies


def test_a_changed_secret_changes_the_deposit_alone_and_a_changed_text_the_push_alone() -> None:
    before = push(files=secret_files())
    keepalived, pem = secret_files()
    text = File(
        path=keepalived.path,
        content="advert_int 0.5\nauth_pass @@auth@@\n",
        mode="0600",
        secrets=keepalived.secrets,
    )
    value = File(
        path=keepalived.path,
        content=keepalived.content,
        mode="0600",
        secrets={"auth": "another"},
    )

    def inputs(seen: Registered) -> dict[str, Any]:
        return {one.name: one.inputs for one in seen.of_type(COMMAND)}

    def changed(after: Registered) -> list[str]:
        return [name for name, was in inputs(before).items() if inputs(after)[name] != was]

    assert changed(push(files=(text, pem))) == ["lb-a-base"]
    assert changed(push(files=(value, pem))) == ["lb-a-base-secrets"]


def test_a_content_that_is_secret_without_being_declared_makes_the_input_secret() -> None:
    def program() -> None:
        file = File(path="/etc/motd", content=pulumi.Output.secret("hush"))
        HostConfiguration(
            "lb-a-base", HostConfigurationArgs(machine=machine(None), layer="base", files=(file,))
        )

    assert "stdin" in run_program(program).one(COMMAND, "lb-a-base").secret_inputs


def test_a_redacted_text_stands_for_a_file_that_is_secret_whole() -> None:
    file = File(
        path="/etc/x", content="password=p", mode="0600", secret=True, redacted="password=<secret>"
    )
    command = push(files=(file,)).one(COMMAND, "lb-a-base")
    assert sent(command)["files"]["/etc/x"]["content"] == "password=<secret>"


def test_a_confirmation_follows_the_push_over_a_connection_of_its_own() -> None:
    seen = push(confirm=ConfirmPolicy(seconds=30))
    command, confirm = seen.one(COMMAND, "lb-a-base"), seen.one(COMMAND, "lb-a-base-confirm")
    assert confirm.inputs["create"] == payload.command_line("confirm")
    assert "delete" not in confirm.inputs
    assert command.urn in confirm.dependencies
    assert sent(confirm) == {
        "layer": "loadbalancers.base",
        "generation": payload.generation(sent(command)),
    }
    assert sent(command)["confirm"] == {"seconds": 30}


def test_an_epoch_changes_the_push_and_its_secrets_and_nothing_of_the_files() -> None:
    first, second = push(files=secret_files()), push(files=secret_files(), epoch="2")
    for name in ("lb-a-base", "lb-a-base-secrets"):
        assert first.one(COMMAND, name).inputs["stdin"] != second.one(COMMAND, name).inputs["stdin"]
    files = [sent(seen.one(COMMAND, "lb-a-base"))["files"] for seen in (first, second)]
    assert files[0] == files[1]


def test_repositories_become_files_with_their_key() -> None:
    repository = Repository(
        name="debian",
        uris=("http://192.0.2.4/debian",),
        suites=("bookworm",),
        components=("main",),
        signed_by="-----BEGIN PGP PUBLIC KEY BLOCK-----",
    )
    files = sent(push(repositories=(repository,)).one(COMMAND, "lb-a-base"))["files"]
    assert files["/etc/apt/sources.list.d/debian.sources"]["content"] == (
        "Types: deb\nURIs: http://192.0.2.4/debian\nSuites: bookworm\nComponents: main\n"
        "Signed-By: /etc/apt/keyrings/debian.asc\n"
    )
    assert files["/etc/apt/keyrings/debian.asc"]["content"].startswith("-----BEGIN PGP")


def test_what_the_component_waits_for_its_commands_wait_for_and_replacement_passes_on() -> None:
    def program() -> None:
        other = Vm("other")
        HostConfiguration(
            "lb-a-base",
            HostConfigurationArgs(machine=machine(None), layer="base"),
            pulumi.ResourceOptions(depends_on=[other], replace_with=[other]),
        )

    seen = run_program(program)
    command, other = seen.one(COMMAND, "lb-a-base"), seen.one("proxmoxve:index:VmLegacy", "other")
    assert other.urn in command.dependencies
    assert command.replace_with == (other.urn,)


def test_who_waits_for_it_waits_for_its_last_command_and_hears_that_ones_answer() -> None:
    assert push().value == "stdout of lb-a-base"
    assert push(confirm=ConfirmPolicy(seconds=30)).value == "stdout of lb-a-base-confirm"

    def program() -> None:
        made = HostConfiguration(
            "lb-a-base",
            HostConfigurationArgs(
                machine=machine(None), layer="base", confirm=ConfirmPolicy(seconds=30)
            ),
        )
        Vm("after", pulumi.ResourceOptions(depends_on=[made]))

    seen = run_program(program)
    confirm = seen.one(COMMAND, "lb-a-base-confirm")
    assert seen.one("proxmoxve:index:VmLegacy", "after").dependencies == {confirm.urn}
    assert seen.one(COMMAND, "lb-a-base").urn in confirm.dependencies


@pytest.mark.parametrize("name", ["lb-a-base", "lb-a-base-secrets", "lb-a-base-confirm"])
def test_each_command_is_the_one_that_once_hung_below_a_component(name: str) -> None:
    seen = push(files=secret_files(), confirm=ConfirmPolicy(seconds=30))
    (before,) = seen.one(COMMAND, name).aliases
    assert "::layered-cloud:host:Configuration::lb-a-base" in before
    assert len(seen.names(COMMAND)) == len(seen.resources) - 2, "the stack and the VM"


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"layer": "Base"}, "layer 'Base' must be lower case letters"),
        ({"layer": "bin"}, "neither 'actions' nor 'bin'"),
        ({"files": (File(path="etc/x", content=""),)}, "'etc/x' must be an absolute"),
        ({"files": (File(path="/etc/../x", content=""),)}, "must be an absolute, normal path"),
        ({"files": (File(path="/x", content="", mode="644x"),)}, "mode '644x' must be octal"),
        (
            {"files": (File(path="/x", content="", secret=True),)},
            "/x holds secrets and mode 0644 lets everybody read it; use 0600",
        ),
        (
            {"files": (File(path="/x", content="a", mode="0600", secrets={"k": "v"}),)},
            "/x: its text has no @@k@@",
        ),
        (
            {"files": (File(path="/x", content="", redacted="y"),)},
            "a redacted text belongs to a file with secret=True only",
        ),
        (
            {"files": (File(path="/x", content="a"), File(path="/x", content="b"))},
            "file '/x' is listed twice",
        ),
    ],
)
def test_what_no_machine_could_carry_out_is_refused_by_name(
    over: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="host configuration 'lb-a-base'") as refused:
        push(**over)
    assert message in str(refused.value)


def test_the_input_is_one_json_document_that_is_the_same_every_time() -> None:
    first = push().one(COMMAND, "lb-a-base").inputs["stdin"]
    assert first == push().one(COMMAND, "lb-a-base").inputs["stdin"]
    assert set(json.loads(first)) == {"boot", "program", "request"}

"""The command provider against a real SSH server on loopback."""

from __future__ import annotations

import threading
import time

import asyncssh
import grpc
import pytest

from lab.plugins.command import CommandProvider
from lab.plugins.server import UNKNOWN, Secret
from lab.plugins.wire import reveal
from tests.lab.plugins.harness import CallFailed, plugin
from tests.lab.plugins.ssh_host import SshHost

REMOTE = "command:remote:Command"
LOCAL = "command:local:Command"


@pytest.fixture
def host():
    machine = SshHost()
    machine.start()
    yield machine
    machine.stop()


@pytest.fixture
def command():
    with plugin(CommandProvider()) as harness:
        yield harness


def test_a_command_runs_with_its_stdin_and_gives_both_outputs_without_the_last_newline(
    host, command
):
    state = command.create(
        REMOTE,
        {
            "connection": host.connection(),
            "create": "cat; echo more >&2",
            "stdin": Secret("line\nlast\n"),
        },
    )
    assert (state.outputs["stdout"], state.outputs["stderr"]) == ("line\nlast", "more")
    assert state.id.startswith("thing")


def test_the_connection_and_a_secret_stdin_are_secret_and_stdout_is_not(host, command):
    state = command.create(
        REMOTE, {"connection": host.connection(), "create": "echo x", "stdin": Secret("s")}
    )
    assert isinstance(state.inputs["connection"], Secret)
    assert isinstance(state.outputs["connection"], Secret)
    assert state.outputs["stdin"] == Secret("s")
    assert state.outputs["stdout"] == "x"


def test_the_connections_defaults_are_the_real_providers(command):
    inputs = command.checked(REMOTE, {"connection": {"host": "192.0.2.1"}})
    assert reveal(inputs["connection"]) == {
        "host": "192.0.2.1", "user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15,
    }  # fmt: skip


def test_a_large_stdin_arrives_whole_and_one_that_is_not_read_does_no_harm(host, command):
    big = "0123456789abcdef" * 200_000
    counted = command.create(
        REMOTE, {"connection": host.connection(), "create": "wc -c", "stdin": big}
    )
    assert counted.outputs["stdout"].strip() == str(len(big))
    ignored = command.create(
        REMOTE, {"connection": host.connection(), "create": "exec <&-; echo done", "stdin": big}
    )
    assert ignored.outputs["stdout"] == "done"


def test_a_failure_shows_the_exit_status_the_command_and_what_it_said(host, command):
    with pytest.raises(CallFailed) as failed:
        command.create(
            REMOTE,
            {"connection": host.connection(), "create": 'echo "no such unit" >&2; exit 3'},
        )
    assert str(failed.value) == (
        'Process exited with status 3: running "echo \\"no such unit\\" >&2; exit 3":\n'
        "no such unit\n"
    )


def test_a_command_that_a_signal_ended_says_so(host, command):
    with pytest.raises(CallFailed, match=r"Process exited with signal KILL: running \"kill -9"):
        command.create(REMOTE, {"connection": host.connection(), "create": "kill -9 $$"})


def test_a_wrong_host_key_is_fatal_at_once_and_names_the_expected_key(host, command):
    other = asyncssh.generate_private_key("ssh-ed25519")
    connection = host.connection(
        hostKey=other.export_public_key().decode(), dialErrorLimit=50, perDialTimeout=5
    )
    started = time.monotonic()
    with pytest.raises(CallFailed, match="host key mismatch") as failed:
        command.create(REMOTE, {"connection": connection, "create": "true"})
    assert other.get_fingerprint() in str(failed.value)
    assert host.connections == 1
    assert time.monotonic() - started < 5


def test_a_host_without_a_key_of_the_expected_kind_is_a_wrong_host_too(host, command):
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    connection = host.connection(hostKey=other.export_public_key().decode(), dialErrorLimit=50)
    with pytest.raises(CallFailed, match="host key mismatch"):
        command.create(REMOTE, {"connection": connection, "create": "true"})
    # The host may hang up before its word is read: that looks like a host that still boots.
    assert host.connections < 5


def test_without_a_host_key_any_host_will_do(host, command):
    connection = host.connection()
    del connection["hostKey"]
    state = command.create(REMOTE, {"connection": connection, "create": "echo in"})
    assert state.outputs["stdout"] == "in"


def test_a_machine_that_still_boots_is_dialled_again(command):
    machine = SshHost()
    timer = threading.Timer(0.4, machine.start)
    timer.start()
    try:
        state = command.create(
            REMOTE, {"connection": machine.connection(dialErrorLimit=20), "create": "echo up"}
        )
    finally:
        timer.join()
        machine.stop()
    assert state.outputs["stdout"] == "up"
    assert any(
        text.startswith("Dial 1/20 failed: retrying (connection refused") and ephemeral
        for _, text, ephemeral in command.log
    )


def test_the_attempts_are_bounded_and_the_error_names_the_last_reason(command):
    machine = SshHost()
    connection = machine.connection(dialErrorLimit=2)
    with pytest.raises(CallFailed) as failed:
        command.create(REMOTE, {"connection": connection, "create": "true"})
    machine.stop()
    assert str(failed.value) == (
        f"after 2 failed attempts: dial tcp 127.0.0.1:{machine.port}: connection refused"
    )
    assert sum(text.startswith("Dial ") for _, text, _ in command.log) == 2


def test_a_key_that_the_host_does_not_know_is_refused_in_the_hosts_words(host, command):
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    connection = host.connection(privateKey=stranger, dialErrorLimit=1)
    with pytest.raises(CallFailed, match=r"after 1 failed attempts: dial tcp .*Permission denied"):
        command.create(REMOTE, {"connection": connection, "create": "true"})


def test_a_private_key_that_is_none_is_refused_without_dialling(host, command):
    with pytest.raises(CallFailed, match="failed to parse private key"):
        command.create(
            REMOTE, {"connection": host.connection(privateKey="nonsense"), "create": "true"}
        )
    assert host.connections == 0


def test_update_runs_update_else_create_again(host, command, tmp_path):
    log = tmp_path / "log"
    both = {
        "connection": host.connection(),
        "create": f"echo create >> {log}",
        "update": f"echo update >> {log}",
        "addPreviousOutputInEnv": False,
    }
    state = command.create(REMOTE, both)
    state = command.update(state, {**both, "stdin": "changed"})
    only_create = {key: value for key, value in both.items() if key != "update"}
    command.update(state, {**only_create, "stdin": "again"})
    assert log.read_text().split() == ["create", "update", "create"]


def test_delete_runs_what_the_last_update_left(host, command, tmp_path):
    marker = tmp_path / "marker"
    state = command.create(
        REMOTE,
        {
            "connection": host.connection(),
            "create": "true",
            "delete": f"cat > {marker}",
            "stdin": "bye",
        },
    )
    command.delete(state)
    assert marker.read_text() == "bye"


def test_any_change_updates_and_changed_triggers_replace(host, command):
    inputs = {"connection": host.connection(), "create": "echo 1", "triggers": [1, "a"]}
    state = command.create(REMOTE, inputs)
    assert command.diff(state, inputs).nothing
    changed = command.diff(state, {**inputs, "create": "echo 2"})
    assert (changed.changes, changed.replaces) == ({"create": "update"}, [])
    assert command.diff(state, {**inputs, "triggers": [1, "b"]}).changes == {
        "triggers[1]": "update-replace"
    }


def test_a_preview_leaves_both_outputs_unknown_and_dials_nothing(host, command):
    inputs = {"connection": host.connection(), "create": "echo 1"}
    assert command.create(REMOTE, inputs, preview=True).outputs["stdout"] is UNKNOWN
    state = command.create(REMOTE, inputs)
    before = host.connections
    shown = command.update(state, {**inputs, "create": "echo 2"}, preview=True)
    assert (shown.outputs["stdout"], shown.outputs["stderr"]) == (UNKNOWN, UNKNOWN)
    assert host.connections == before


def test_a_connection_that_is_not_known_yet_passes_the_check(command):
    assert reveal(command.checked(REMOTE, {"connection": UNKNOWN})["connection"]) is UNKNOWN


def test_logging_chooses_what_is_streamed(host, command):
    both = "echo out; echo err >&2"
    for logging, expected in (
        ("none", set()),
        ("stdout", {"out"}),
        ("stderr", {"err"}),
        ("stdoutAndStderr", {"out", "err"}),
    ):
        command.log.clear()
        command.create(
            REMOTE, {"connection": host.connection(), "create": both, "logging": logging}
        )
        assert {text for _, text, _ in command.log} == expected


def test_an_environment_that_the_server_accepts_reaches_the_command(command):
    machine = SshHost(accepts=frozenset({"GREETING"}))
    machine.start()
    try:
        state = command.create(
            REMOTE,
            {
                "connection": machine.connection(),
                "create": "echo $GREETING",
                "environment": {"GREETING": "hello there"},
            },
        )
    finally:
        machine.stop()
    assert state.outputs["stdout"] == "hello there"


def test_an_environment_that_the_server_refuses_is_an_error_not_a_silence(host, command):
    with pytest.raises(CallFailed, match='could not set environment variable "GREETING"'):
        command.create(
            REMOTE,
            {"connection": host.connection(), "create": "true", "environment": {"GREETING": "x"}},
        )


def test_the_previous_output_is_offered_and_its_refusal_only_warned_of(host, command):
    inputs = {"connection": host.connection(), "create": "echo first"}
    state = command.create(REMOTE, inputs)
    command.update(state, {**inputs, "create": "echo second"})
    assert [severity for severity, text, _ in command.log if "PULUMI_COMMAND_STDOUT" in text] == [
        "warning"
    ]


def test_a_lost_connection_is_told_with_the_output_so_far(host, command, tmp_path):
    started = tmp_path / "started"
    found: list[CallFailed] = []

    def create() -> None:
        with pytest.raises(CallFailed) as failed:
            command.create(
                REMOTE,
                {
                    "connection": host.connection(),
                    "create": f"echo begun; touch {started}; sleep 60",
                },
            )
        found.append(failed.value)

    thread = threading.Thread(target=create)
    thread.start()
    _until(lambda: started.exists() and any(text == "begun" for _, text, _ in command.log))
    host.cut()
    thread.join(10)
    assert not thread.is_alive()
    assert "lost the connection to 127.0.0.1" in str(found[0])
    assert str(found[0]).endswith("Its output so far:\nbegun\n")


def test_cancel_ends_a_running_command_with_a_clear_error(host, command, tmp_path):
    started = tmp_path / "started"
    found: list[CallFailed] = []

    def create() -> None:
        with pytest.raises(CallFailed) as failed:
            command.create(
                REMOTE, {"connection": host.connection(), "create": f"touch {started}; sleep 60"}
            )
        found.append(failed.value)

    thread = threading.Thread(target=create)
    thread.start()
    _until(started.exists)
    command.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert found[0].code is grpc.StatusCode.CANCELLED
    assert str(found[0]).startswith('cancelled while running "touch ')


def test_a_custom_timeout_ends_a_command(host, command):
    with pytest.raises(CallFailed, match=r"not done in 0\.5 s \(its custom timeout\)") as failed:
        command.create(REMOTE, {"connection": host.connection(), "create": "sleep 60"}, timeout=0.5)
    assert failed.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_an_unknown_property_and_a_proxy_are_refused_by_name(command):
    _, failures = command.check(REMOTE, {"connection": {"host": "h"}, "comand": "x"})
    assert list(failures) == ["comand"]
    proxied = {"connection": {"host": "h", "proxy": {"host": "p"}}}
    assert command.check(REMOTE, proxied)[1] == {
        "connection.proxy": "the stand-in plugin does not connect through a proxy"
    }


def test_a_local_command_runs_here_with_stdin_environment_and_directory(command, tmp_path):
    state = command.create(
        LOCAL,
        {
            "create": "pwd; cat; echo $WHO >&2",
            "stdin": "in",
            "environment": {"WHO": "me"},
            "dir": str(tmp_path),
        },
    )
    assert state.outputs["stdout"] == f"{tmp_path}\nin"
    assert state.outputs["stderr"] == "me"
    with pytest.raises(CallFailed, match=r'exit status 4: running "echo why; exit 4":\nwhy'):
        command.create(LOCAL, {"create": "echo why; exit 4"})


def _until(condition, within: float = 10.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)

"""The two texts that bring another deploy key, run as the provider and the machine run them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from components.host import entry

A, B, C = (f"ssh-ed25519 {name}" for name in "ABC")


def gate(last: str | None, now: str, before: str = "") -> subprocess.CompletedProcess[str]:
    known = {} if last is None else {"PULUMI_COMMAND_STDOUT": last}
    return subprocess.run(
        ["/bin/sh", "-c", entry._GATE],
        env={"NOW": now, "BEFORE": before, "STACK": "lab", **known},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("last", "before"), [(None, ""), (B, ""), (B, A), (A, A)])
def test_the_gate_lets_the_key_through_that_they_know_or_that_comes_with_it(
    last: str | None, before: str
) -> None:
    done = gate(last, B, before)
    assert (done.returncode, done.stdout) == (0, f"{B}\n")


@pytest.mark.parametrize("before", ["", C])
def test_the_gate_refuses_another_key_with_what_to_set(before: str) -> None:
    done = gate(A, B, before)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"they let in: {A}\n    this run has: {B}\n" in done.stderr
    assert (f"and before it: {C}" in done.stderr) == bool(before)
    assert "config set --secret layered-cloud:deployKeyBefore -s lab < FILE" in done.stderr


def test_the_new_key_is_let_in_beside_what_is_there(tmp_path: Path) -> None:
    keys = tmp_path / ".ssh" / "authorized_keys"
    keys.parent.mkdir()
    keys.write_text(f"# by hand\n{A} me@home")
    keys.chmod(0o640)
    (tmp_path / "key").write_text(B)
    home = f"getent() {{ echo u:x:0:0::{tmp_path}:/bin/sh; }}\nuser=u\n"

    def run(text: str) -> int:
        argv = ["/bin/bash", "-eu", "-o", "pipefail", "-c", home + text]
        return subprocess.run(
            argv, check=False, env={"SECRETS": str(tmp_path), "PATH": "/usr/bin:/bin"}
        ).returncode

    assert run(entry._IS_IN) != 0
    assert run(entry._LET_IN) == 0
    assert run(entry._IS_IN) == 0
    assert keys.read_text() == f"# by hand\n{A} me@home\n{B}\n"
    assert keys.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in keys.parent.iterdir()] == ["authorized_keys"]

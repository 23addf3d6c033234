"""The lab's command line, where it does something of its own."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from lab import cli, datacentre
from lab.paths import CHECKOUT


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would take the place of this process."""
    world = SimpleNamespace(
        machines={"lb-a": None},
        topology=SimpleNamespace(nodes={"client": None}),
        argv=lambda host, command: ["enter", host, *command],
        ssh=lambda host, person: ["ssh", host, f"person={person}"],
    )
    found: list[list[str]] = []

    def execvp(program: str, argv: list[str]) -> Any:
        found.append(argv)

    monkeypatch.setattr(datacentre, "world", lambda: world)
    monkeypatch.setattr(cli.os, "execvp", execvp)
    return found


@pytest.mark.parametrize("host", ["client", "lb-a"])
@pytest.mark.parametrize("dashes", [[], ["--"]], ids=["plain", "--"])
def test_a_command_for_a_shell_may_follow_two_dashes(
    host: str, dashes: list[str], ran: list[list[str]]
) -> None:
    done = CliRunner().invoke(cli.app, ["shell", host, *dashes, "ls", "-l", "--", "x"])
    assert done.exit_code == 0, done.output
    assert ran == [["enter", host, "ls", "-l", "--", "x"]]


def test_a_shell_is_a_persons(ran: list[list[str]]) -> None:
    assert CliRunner().invoke(cli.app, ["shell", "lb-a"]).exit_code == 0
    assert ran == [["ssh", "lb-a", "person=True"]]


def test_a_machine_that_is_not_there_is_named_with_those_that_are(ran: list[list[str]]) -> None:
    done = CliRunner().invoke(cli.app, ["shell", "lb-z"])
    assert done.exit_code == 1
    assert "there is no lb-z; there are lb-a, client" in done.output
    assert ran == []


def test_pulumis_sdk_is_imported_by_the_process_that_runs_it_and_by_no_other() -> None:
    program = "import sys, lab.cli, lab.datacentre; print('pulumi' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )
    assert done.stdout == "False\n"

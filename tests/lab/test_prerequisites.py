"""What the lab calls on this machine: one list, and a script that asks for what is lacking."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab import prerequisites

SCRIPT = prerequisites.LIST.with_name("deps.sh")
SOURCES = [
    path
    for room in ("hypervisor", "network", "software", "engine")
    for path in sorted((SCRIPT.parent / room).rglob("*.py"))
]


def deps(wanted: str, folder: Path) -> tuple[int, str]:
    """deps.sh over another list, on a machine that is not Debian."""
    (folder / "deps.sh").write_text(SCRIPT.read_text().replace("PATH=$PATH:/usr/sbin:/sbin", ""))
    (folder / "prerequisites.txt").write_text(wanted)
    (folder / "bin").mkdir()
    for name in ("bash", "dirname", "id"):
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        ["bash", str(folder / "deps.sh")],
        env={**os.environ, "PATH": str(folder / "bin"), "PYTHON3": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_package_that_is_lacking_is_asked_for_once(tmp_path: Path) -> None:
    wanted = "# a comment\nnone-a one\nnone-b one\nbash bash\nmodule:no_such two\nfile:/no three\n"
    status, said = deps(wanted, tmp_path)
    assert status == 1
    assert said == (
        "These Debian packages are needed: one two three\n"
        "Next: install them (as root: apt-get install one two three) and run the command again.\n"
    )


def test_nothing_is_said_where_everything_is(tmp_path: Path) -> None:
    wanted = f"bash bash\nmodule:json python3\nfile:{tmp_path} something\n"
    assert deps(wanted, tmp_path) == (0, "")


def test_the_list_is_read_the_same_by_both() -> None:
    lines = [line.split() for line in prerequisites.LIST.read_text().splitlines()]
    assert all(len(line) == 2 for line in lines if line[0] != "#")
    assert prerequisites.packages()["systemd-nspawn"] == "systemd-container"
    assert not any(":" in command for command in prerequisites.packages())


def test_missing_commands_are_named_with_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert prerequisites.missing(["gpg", "unknown"]) == {"gpg": "gpg", "unknown": "unknown"}
    assert prerequisites.missing() == prerequisites.packages()


def test_what_a_module_runs_is_on_the_list() -> None:
    # In every Debian: coreutils, apt, bash; Go is looked for by itself.
    always = {"sh", "bash", "chroot", "apt-config", "go"}
    first = re.compile(r"(?:argv = |run\(|Popen\()\s*\[\s*\"([a-z][a-z0-9-]+)\"")
    run = {word for path in SOURCES for word in first.findall(path.read_text())}
    assert run >= {"ip", "mmdebstrap", "gpg", "nsenter", "git"}
    assert run - always - set(prerequisites.packages()) == set()

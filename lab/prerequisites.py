"""What the lab calls on this machine, by the Debian package it comes in.

The list itself is prerequisites.txt, which lab/deps.sh reads too, before there is a Python
environment to read it with.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

LIST = Path(__file__).with_name("prerequisites.txt")


def packages() -> dict[str, str]:
    """Command to Debian package."""
    lines = [line.split() for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return {command: package for command, package in lines if ":" not in command}


def missing(commands: Iterable[str] | None = None) -> dict[str, str]:
    """Those of the commands (all of the list, when None) that are not on PATH, with the package
    of each; a command that is not on the list is taken to be a package's name."""
    known = packages()
    asked = known if commands is None else commands
    return {name: known.get(name, name) for name in asked if shutil.which(name) is None}

"""Runs that were measured, one a line of a file, so that a sitting that was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Run = TypeVar("Run")


def append(file: Path, line: str) -> None:
    """Keep one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write(f"{line}\n")


def read(file: Path, of: Callable[[str], Run]) -> list[Run]:
    """Those of a file, in its order; none where it is not there. A line that a cut-off run left
    half written, or that an older version wrote, is passed over: `of` raises ValueError, TypeError
    or KeyError for it."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(of(line))
        except (ValueError, TypeError, KeyError):
            continue
    return found

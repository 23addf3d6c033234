"""What a build tool inherits of the locks."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from lab.software.store import INHERITED_FROM, locked


def inherited() -> set[int]:
    """The descriptors a tool is started with, and the one it lists them by."""
    listing = subprocess.run(
        ["ls", "/proc/self/fd"],
        close_fds=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {int(each) for each in listing.split()}


def test_locks_leave_the_low_descriptors_to_the_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many locks held a tool still finds single-digit descriptors, and holds the locks."""
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    before = inherited()
    with contextlib.ExitStack() as held:
        for number in range(12):
            held.enter_context(locked(f"item-{number}"))
        of_locks = inherited() - before
    assert len(of_locks) == 12
    assert min(of_locks) >= INHERITED_FROM
    assert inherited() == before

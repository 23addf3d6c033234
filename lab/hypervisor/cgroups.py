"""Control groups of one machine: one directory of the same name in every hierarchy.

The layout is the one systemd calls hybrid: version 1 controllers, each mounted on its own below
/sys/fs/cgroup, `systemd` (a named hierarchy) and `unified` (version 2) beside them.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from lab.processes import wait_until

ROOT = Path("/sys/fs/cgroup")
GONE_SECONDS = 30.0


def hierarchies() -> list[Path]:
    """Every mounted hierarchy, version 1 and 2."""
    return sorted(path for path in ROOT.iterdir() if (path / "cgroup.procs").exists())


def create(name: str, memory_bytes: int | None = None) -> None:
    """Make the machine's group in every hierarchy; its children inherit the processors."""
    for base in hierarchies():
        group = base / name
        group.mkdir(exist_ok=True)
        if base.name == "cpuset":
            _write(group / "cgroup.clone_children", "1")
            for key in ("cpuset.cpus", "cpuset.mems"):
                _write(group / key, (base / key).read_text().strip())
        if base.name == "memory":
            _write(group / "memory.use_hierarchy", "1")
            if memory_bytes:
                (group / "memory.limit_in_bytes").write_text(str(memory_bytes))


def join(name: str) -> None:
    """Move this process into the group, making it when needed."""
    create(name)
    for base in hierarchies():
        (base / name / "cgroup.procs").write_text("0")


def members(name: str) -> set[int]:
    """Processes in the machine's groups, in any hierarchy and at any depth."""
    found: set[int] = set()
    for base in hierarchies():
        for directory, _, _ in os.walk(base / name):
            with contextlib.suppress(OSError):
                text = (Path(directory) / "cgroup.procs").read_text()
                found |= {int(word) for word in text.split() if int(word)}
    return found


def kill(name: str, seconds: float = GONE_SECONDS) -> bool:
    """Kill every process in the machine's groups; returns whether none is left."""

    def emptied() -> bool:
        pids = members(name)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    return wait_until(emptied, seconds)


def remove(name: str, seconds: float = GONE_SECONDS) -> bool:
    """Remove the machine's groups, deepest first; returns whether all are gone.

    A group whose last process has just ended stays busy for a moment: it is tried again.
    """

    def removed() -> bool:
        left = False
        for base in hierarchies():
            for directory, _, _ in os.walk(base / name, topdown=False):
                try:
                    Path(directory).rmdir()
                except FileNotFoundError:
                    continue
                except OSError:
                    left = True
        return not left

    return wait_until(removed, seconds)


def present(prefix: str) -> list[str]:
    """Names of the groups that begin with a prefix, in any hierarchy."""
    return sorted(
        {path.name for base in hierarchies() for path in base.glob(f"{prefix}*") if path.is_dir()}
    )


def _write(path: Path, value: str) -> None:
    # Not every kernel offers every knob; a missing one is not the machine's concern.
    with contextlib.suppress(OSError):
        path.write_text(value)

"""Thin, typed calls of ip(8): everything the lab asks the kernel's network stack.

No call here creates anything in the machine's own network namespace: interfaces are made inside
a namespace of the lab's, with their peer in another.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

NETNS_DIR = Path("/run/netns")
COMMAND_SECONDS = 20


class NetworkError(RuntimeError):
    """The kernel refused; the text begins with its own words."""


def run(argv: Sequence[str], stdin: str | None = None) -> str:
    """Run a command to its end and return its stdout; raises `NetworkError` with its stderr."""
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    if done.returncode:
        words = done.stderr.strip() or f"exit code {done.returncode}"
        raise NetworkError(f"{words} (from: {' '.join(argv)})")
    return done.stdout


def batch(namespace: str, lines: Iterable[str]) -> None:
    """Run ip(8) commands inside a namespace, in order, stopping at the first that fails."""
    text = "".join(f"{line}\n" for line in lines)
    if text:
        run(["ip", "-n", namespace, "-batch", "-"], stdin=text)


def query(namespace: str, *words: str) -> list[dict[str, Any]]:
    """`ip -json WORDS` inside a namespace; an empty answer is an empty list."""
    out = run(["ip", "-n", namespace, "-json", "-details", *words])
    rows: list[dict[str, Any]] = json.loads(out) if out.strip() else []
    return [row for row in rows if row]


def namespaces() -> list[str]:
    """Names of all network namespaces under /run/netns, the lab's or not."""
    return sorted(entry.name for entry in NETNS_DIR.iterdir()) if NETNS_DIR.is_dir() else []


def usable(namespace: str) -> bool:
    """Whether the name is a live namespace, and not the empty file an interrupted add leaves."""
    try:
        run(["ip", "-n", namespace, "link", "show", "lo"])
    except NetworkError:
        return False
    return True


def inode(namespace: str) -> int:
    """The namespace's inode on nsfs: what /proc/PID/ns/net of its processes shows."""
    return (NETNS_DIR / namespace).stat().st_ino


def sysctl(namespace: str, values: dict[str, str | int]) -> None:
    """Write kernel settings of one namespace."""
    words = [f"{key}={value}" for key, value in values.items()]
    run(["nsenter", f"--net={NETNS_DIR / namespace}", "--", "sysctl", "-q", "-w", *words])


def argv_in(namespace: str, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` in a namespace, with that namespace's own /sys."""
    return ["ip", "netns", "exec", namespace, *argv]


def pids_in(namespace: str) -> list[int]:
    """Processes that live in the namespace right now."""
    try:
        wanted = inode(namespace)
    except OSError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "ns" / "net").stat().st_ino == wanted:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found

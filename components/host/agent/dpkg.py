"""dpkg's own state: what an interrupted run left, who holds its locks, daemons held back."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import Failure
from .run import run
from .store import write_atomically

POLICY = Path("/usr/sbin/policy-rc.d")
MARK = "# layered-cloud: daemons start once their configuration is in place"
JOURNAL = Path("/var/lib/dpkg/updates")
LOCKS = (
    "/var/lib/apt/lists/lock",
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/cache/apt/archives/lock",
)
KEEP_FILES = ("--force-confdef", "--force-confold")
HALF = {
    "H": "half installed",
    "U": "unpacked only",
    "F": "half configured",
    "W": "waiting for triggers",
    "t": "with triggers due",
}
"""The second letter of dpkg's state, as `dpkg -l` prints it, of a package that is not whole."""


def listed(names: list[str]) -> Iterator[tuple[str, str, str]]:
    """Name, state (`ii`, `iHR`) and version of those of `names` that dpkg knows; of all for []."""
    form = "${Package} ${db:Status-Abbrev} ${Version}\n"
    for line in run(["dpkg-query", "-W", "-f", form, *names]).output.splitlines():
        words = line.split()
        if len(words) == 3 and not line.startswith("dpkg-query:"):
            yield words[0], words[1], words[2]


def half_done() -> dict[str, str]:
    """The packages that an interrupted run left neither old nor new: name to state, in words."""
    return {name: HALF[state[1]] for name, state, _ in listed([]) if state[1] in HALF}


def torn() -> list[str]:
    """The packages whose unpacking was cut, which no configuring mends and apt takes for whole."""
    return [name for name, state, _ in listed([]) if state.endswith("R")]


def repair(seconds: float) -> list[str]:
    """Finish what an interrupted run left, once; says what was done, nothing where all is whole.

    Without it apt refuses any work ("dpkg was interrupted, you must manually run …").
    """
    left = half_done()
    if not left and not _journalled():
        return []
    outcome = run(["dpkg", *KEEP_FILES, "--configure", "-a"], seconds)
    names = ", ".join(f"{name} {state}" for name, state in left.items()) or "its journal"
    said = f"dpkg had been interrupted ({names}): ran 'dpkg --configure -a'"
    if outcome.ok:
        return [said]
    words = [line for line in outcome.output.splitlines() if line.startswith("dpkg: ")]
    return [f"{said}, which could not finish it ({words[0] if words else outcome.status})"]


def _journalled() -> bool:
    """Whether dpkg's database has changes that it did not come to write out."""
    with contextlib.suppress(OSError):
        return any(path.name.isdigit() for path in JOURNAL.iterdir())
    return False


def wait_for_locks(seconds: float) -> None:
    """Wait until neither apt nor dpkg is busy, for instance with unattended-upgrades."""
    deadline = time.monotonic() + seconds
    for lock in LOCKS:
        while (holder := _holder(lock)) is not None:
            if time.monotonic() > deadline:
                raise Failure(
                    f"{lock} has been held for {seconds:g} s by {holder}: let it end, or end it; "
                    "the next push repairs what it leaves half done"
                )
            time.sleep(1)


def _holder(lock: str) -> str | None:
    """Who holds the lock, in words; `None` when nobody does."""
    try:
        handle = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        # struct flock of a 64-bit Linux: type, whence, start, length, process.
        asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, *_, process = struct.unpack("hhqqi", fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else _process(process)


def _process(number: int) -> str:
    try:
        line = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return "a process that cannot be seen from here"
    stopped = ", which is stopped" if state in "Tt" else ""
    return f"process {number} ({line}{stopped})"


@contextlib.contextmanager
def daemons_held_back() -> Iterator[None]:
    """While this lasts no package starts its daemon: Debian's default would serve (policy-rc.d)."""
    if POLICY.exists():
        yield
        return
    text = f"#!/bin/sh\n{MARK}\nexit 101\n"
    write_atomically(POLICY, text.encode(), 0o755, os.geteuid(), os.getegid())
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def clear_leftovers() -> list[str]:
    """Finish what a push that was killed half way had dpkg do, and take away its policy.

    In this order, so that a daemon whose configuring was cut does not start with its defaults.
    """
    if not POLICY.exists() or MARK not in POLICY.read_text():
        return []
    said = repair(300)
    POLICY.unlink()
    return said

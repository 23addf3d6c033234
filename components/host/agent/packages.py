"""Packages, pinned; a no-op when satisfied, so that a baked image makes them free."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from .errors import Failure
from .run import run
from .store import Json

POLICY = Path("/usr/sbin/policy-rc.d")
MARK = "# layered-cloud: daemons start once their configuration is in place"
LOCKS = ("/var/lib/apt/lists/lock", "/var/lib/dpkg/lock-frontend", "/var/cache/apt/archives/lock")
ATTEMPTS = 4
PASSING = ("Failed to fetch", "Temporary failure", "Could not get lock", "Unable to lock", "503 ")
"""What apt says of faults that a moment may mend: a route, a mirror, another package manager."""

APT = [
    "apt-get",
    "-q",
    "-y",
    "-o",
    "DPkg::Lock::Timeout=300",
    "-o",
    "Dpkg::Options::=--force-confdef",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "Acquire::Retries=3",
    "-o",
    "Acquire::http::Timeout=20",
]


def _listed(names: list[str]) -> Iterator[tuple[str, str, str]]:
    """Name, dpkg's state (`ii`, `iHR`) and version of those of `names` that dpkg knows."""
    if names:
        form = "${Package} ${db:Status-Abbrev} ${Version}\n"
        for line in run(["dpkg-query", "-W", "-f", form, *names]).output.splitlines():
            words = line.split()
            if len(words) == 3 and not line.startswith("dpkg-query:"):
                yield words[0], words[1], words[2]


def versions(names: list[str]) -> dict[str, str]:
    """The installed version of each of `names` that is installed whole."""
    return {name: version for name, state, version in _listed(names) if state in {"ii", "hi"}}


def broken(names: list[str]) -> list[str]:
    """Those of `names` whose unpacking was cut, which apt takes for installed."""
    return [name for name, state, _ in _listed(names) if state.endswith("R")]


def unsatisfied(packages: Json) -> list[str]:
    """The names in `packages` (name to version pattern or null) that are not as asked for."""
    installed = versions(list(packages))
    return [
        name
        for name, version in packages.items()
        if name not in installed or not fnmatchcase(installed[name], version or "*")
    ]


def install(packages: Json, holds: list[str], seconds: float) -> bool:
    """Bring every package to its version; true when one that was there was replaced.

    Raises `Failure` with apt's words.
    """
    wanting = unsatisfied(packages)
    if wanting:
        before = versions(list(packages))
        _wait_for_locks(seconds)
        _apt(["update", "-o", "APT::Update::Error-Mode=any"], "the package lists", seconds)
        names = [f"{n}={packages[n]}" if packages[n] else n for n in packages]
        options = ["--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages"]
        with daemons_held_back():
            again = [f"{n}={packages[n]}" if packages[n] else n for n in broken(list(packages))]
            if again:
                _apt(["install", "--reinstall", *options, *again], "the packages", seconds)
            _apt(["install", *options, *names], "the packages", seconds)
        missing = unsatisfied(packages)
        if missing:
            raise Failure(f"apt reported success, yet these are not as asked: {missing}")
        after = versions(list(packages))
        replaced = any(before[name] != after[name] for name in before)
    else:
        replaced = False
    _hold(packages, holds)
    return replaced


def _hold(packages: Json, holds: list[str]) -> None:
    if not packages:
        return
    held = set(run(["apt-mark", "showhold"]).output.split())
    for verb, names in (
        ("hold", [n for n in holds if n not in held]),
        ("unhold", [n for n in packages if n in held and n not in holds]),
    ):
        if names:
            run(["apt-mark", verb, *names])


def _apt(arguments: list[str], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for attempt in range(1, ATTEMPTS + 1):
        outcome = run([*APT, *arguments], max(1.0, deadline - time.monotonic()))
        if outcome.ok:
            return
        hopeless = not any(sign in outcome.output for sign in PASSING)
        if hopeless or attempt == ATTEMPTS or time.monotonic() > deadline:
            break
        time.sleep(attempt * 2)  # the mirror or the route to it may be coming up
    said = [line for line in outcome.output.splitlines() if line.startswith(("E:", "W:", "Err:"))]
    words = "\n".join(said or outcome.output.splitlines()[-15:])
    raise Failure(f"apt could not get {what} (apt-get {arguments[0]})", words)


def _wait_for_locks(seconds: float) -> None:
    """Wait until neither apt nor dpkg is busy, for instance with unattended-upgrades."""
    deadline = time.monotonic() + seconds
    for lock in LOCKS:
        while not _free(lock):
            if time.monotonic() > deadline:
                raise Failure(f"{lock} is still held by another package manager; try again later")
            time.sleep(1)


def _free(lock: str) -> bool:
    try:
        handle = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


@contextlib.contextmanager
def daemons_held_back() -> Iterator[None]:
    """While this lasts no package starts its daemon: Debian's default would serve (policy-rc.d)."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text(f"#!/bin/sh\n{MARK}\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def clear_leftovers() -> None:
    """Take away the policy of a push that was killed half way, and finish what dpkg began."""
    if POLICY.exists() and MARK in POLICY.read_text():
        POLICY.unlink()
        run(["dpkg", "--configure", "-a"], 300)

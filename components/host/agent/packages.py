"""Packages, pinned; a no-op when satisfied, so that a baked image makes them free."""

from __future__ import annotations

import time
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from . import clock, dpkg
from .errors import AGAIN, Failure, full
from .run import Outcome, run
from .store import Json

DISK = ("No space left on device", "enough free space", "Read-only file system")
NO_ARCHIVE = "needs to be reinstalled, but I can't find an archive"
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


def versions(names: list[str]) -> dict[str, str]:
    """The installed version of each of `names` that is installed whole."""
    known = dpkg.listed(names) if names else ()
    return {name: version for name, state, version in known if state in {"ii", "hi"}}


def unsatisfied(packages: Json) -> list[str]:
    """The names in `packages` (name to version pattern or null) that are not as asked for."""
    installed = versions(list(packages))
    return [
        name
        for name, version in packages.items()
        if name not in installed or not fnmatchcase(installed[name], version or "*")
    ]


def due(configuration: Json) -> Json:
    """The packages that a push of the configuration brings to their versions: all but those that
    are installed on a machine which has the file that settles them."""
    packages: Json = configuration["packages"]
    settled = {n for n, path in configuration.get("settled", {}).items() if Path(path).exists()}
    left = versions(sorted(settled)) if settled else {}
    return {name: version for name, version in packages.items() if name not in left}


def recorded(configuration: Json) -> Json:
    """The versions that the manifest names: of a package that is settled the one that was asked
    for, to which it comes in its turn."""
    packages: Json = configuration["packages"]
    settled = configuration.get("settled", {})
    installed = versions(list(packages))
    return {n: packages[n] if n in settled and packages[n] else v for n, v in installed.items()}


def install(packages: Json, holds: list[str], seconds: float) -> list[str]:
    """Bring every package to its version; says what had to be repaired for that.

    Nothing that runs is restarted by it. Raises `Failure` with apt's words.
    """
    repaired: list[str] = []
    if unsatisfied(packages):
        dpkg.wait_for_locks(seconds)
        with dpkg.daemons_held_back():
            repaired = dpkg.repair(seconds)
            try:
                _install(packages, seconds, repairing=bool(repaired))
            except Failure as failure:
                raise failure.then("\n".join(repaired)) from None
        missing = unsatisfied(packages)
        if missing:
            raise Failure(f"apt reported success, yet these are not as asked: {missing}")
    _hold(packages, holds)
    return repaired


def _install(packages: Json, seconds: float, *, repairing: bool) -> None:
    def named(names: Iterable[str]) -> list[str]:
        return [f"{n}={packages[n]}" if packages.get(n) else n for n in names]

    options = ["--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages"]
    _apt(["update", "-o", "APT::Update::Error-Mode=any"], "the package lists", seconds)
    if repairing:
        # What was unpacked may need packages that the interrupted run did not come to.
        _apt(["install", "--fix-broken", "--no-remove"], "what dpkg lacked", seconds)
        torn = dpkg.torn()
        if torn:
            _apt(["install", "--reinstall", *options, *named(torn)], "the packages", seconds)
    _apt(["install", *options, *named(packages)], "the packages", seconds)


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
        if attempt == ATTEMPTS or time.monotonic() > deadline:
            break
        if clock.suspected(outcome.output):
            if attempt > 1 or not clock.settled():
                break
            continue
        if not any(sign in outcome.output for sign in PASSING):
            break
        time.sleep(attempt * 2)  # the mirror or the route to it may be coming up
    said = [line for line in outcome.output.splitlines() if _telling(line)]
    words = "\n".join(said or outcome.output.splitlines()[-15:])
    raise Failure(f"apt could not get {what} (apt-get {arguments[0]})", words, _remedy(outcome))


def _telling(line: str) -> bool:
    """Whether it says why: an error, what a package lacks (` a : Depends: b …`), a full disk."""
    starts = ("E:", "W:", "Err:", "dpkg: ")
    return line.startswith(starts) or " : Depends: " in line or any(sign in line for sign in DISK)


def _remedy(outcome: Outcome) -> str:
    if clock.suspected(outcome.output):
        return clock.remedy()
    if NO_ARCHIVE in outcome.output:
        return (
            "No repository has that package: install it from its file ('dpkg -i FILE') or take it "
            f"away ('dpkg --remove --force-remove-reinstreq NAME'); {AGAIN}."
        )
    short = full() if any(sign in outcome.output for sign in DISK) else []
    return f"Full: {', '.join(short)}. Make room there; {AGAIN}." if short else ""

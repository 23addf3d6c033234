"""`make test-all`: the tests, the longer ones, every other distribution's daemons, every other
datacentre, and every drill twenty times, each once for what the tree holds.

Each takes its time, so what passed is remembered in the cache by name and by the content of the
tree (documents aside): a run that was interrupted, or follows a correction of one profile, goes
on with what is left.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import stack
from lab.paths import CHECKOUT, cache_dir
from lab.software import checkers
from lab.stack import UnknownProfile

DRILLS = "drills"
"""The name of every drill, twenty times."""
LONG = "long"
"""The name of what else is tried in the default datacentre: updates cut off, the API away."""
DEFAULT = "default"
"""The name of `make test`, whose datacentre is that of no profile."""
PROFILE = "LAYERED_CLOUD_TEST_PROFILE"
"""Environment: the one profile whose tests run."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One thing to run: its name, its command line, and what its environment has beside ours."""

    name: str
    argv: Sequence[str]
    env: dict[str, str]


def trials(profile: str | None = None) -> list[Trial]:
    """Everything, or one profile's alone.

    Raises:
        UnknownProfile: there is none of that name; the text names those there are.
    """
    tests = [sys.executable, "-m", "pytest", "-m", "profile", "tests/lab/e2e"]
    known = [Trial(name=DEFAULT, argv=["make", "test"], env={})]
    long = [sys.executable, "-m", "pytest", "-m", "long", "tests/lab/e2e"]
    known.append(Trial(name=LONG, argv=long, env={}))
    known += [
        Trial(name=name, argv=["make", "daemons", f"DISTRIBUTION={name}"], env={})
        for name in checkers.FURTHER
    ]
    known += [Trial(name=name, argv=tests, env={PROFILE: name}) for name in stack.profiles()]
    known.append(Trial(name=DRILLS, argv=["make", "drills"], env={}))
    chosen = [each for each in known if not profile or each.name == profile]
    if not chosen:
        raise UnknownProfile(
            f"there is no profile {profile}; there are {', '.join(each.name for each in known)}"
        )
    return chosen


def content(tree: Path = CHECKOUT) -> str:
    """A hash of the tree's files: names and contents of all that git knows or would add, without
    documents and what git ignores."""
    listed = subprocess.run(
        ["git", "-C", str(tree), "ls-files", "-coz", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    digest = hashlib.sha256()
    for name in sorted(set(listed.stdout.decode().split("\0")) - {""}):
        path = tree / name
        if path.suffix not in (".md", ".svg", ".jsonl") and path.is_file():
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _note(name: str) -> Path:
    return cache_dir() / "tested" / f"{name}.json"


def passed(name: str, tree: str) -> bool:
    """Whether the trial of that name passed with this content."""
    try:
        return bool(json.loads(_note(name).read_text())["content"] == tree)
    except (OSError, ValueError, KeyError):
        return False


def remember(name: str, tree: str, seconds: float) -> None:
    """It passed."""
    _note(name).parent.mkdir(parents=True, exist_ok=True)
    said = {"content": tree, "seconds": round(seconds), "at": int(time.time())}
    _note(name).write_text(json.dumps(said) + "\n")


def run(
    chosen: Sequence[Trial],
    tree: str,
    call: Callable[[Trial], int],
    say: Callable[[str], None] = print,
) -> list[str]:
    """Run what has not passed yet, all of it whatever fails; the names of what failed."""
    failed = []
    for trial in chosen:
        if passed(trial.name, tree):
            say(f"{trial.name}: passed before with this content")
            continue
        say(f"{trial.name}: {' '.join(trial.argv)}")
        started = time.monotonic()
        code = call(trial)
        seconds = time.monotonic() - started
        if code == 0:
            remember(trial.name, tree, seconds)
        else:
            failed.append(trial.name)
        say(f"{trial.name}: {'passed' if code == 0 else 'FAILED'} after {seconds / 60:.1f} min")
    return failed


def _call(trial: Trial) -> int:
    done = subprocess.run(
        list(trial.argv), cwd=CHECKOUT, env={**os.environ, **trial.env}, check=False
    )
    return done.returncode


def main(argv: Sequence[str]) -> int:
    """With a profile's name only that one; exit status 1 when something failed."""
    try:
        chosen = trials(argv[0] if argv else None)
    except UnknownProfile as error:
        print(error, file=sys.stderr)
        return 2
    failed = run(chosen, content(), _call)
    if failed:
        again = " and ".join(f"make test-all PROFILE={name}" for name in failed)
        print(f"{len(failed)} of {len(chosen)} failed; next: {again}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The file system as it will be, for the daemons' own checkers.

In a mount namespace of its own every directory that will change carries an overlay whose upper
layer holds the staged files; the checker runs there and sees real paths. Nothing outlives it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from .errors import Failure
from .files import folder
from .run import Outcome, run
from .store import Json

SCRATCH = Path("/run/layered-cloud/view")


def check(staged: Path, removed: Sequence[str], checks: Sequence[Json], package: Path) -> None:
    """Run every check over the union of `staged` and live files.

    Raises `Failure` with the words of the first checker that refuses.
    """
    for one in checks:
        order = json.dumps({"staged": str(staged), "removed": list(removed), "argv": one["argv"]})
        outcome = run(
            [
                *("unshare", "--mount", "--propagation", "private", "--"),
                *(sys.executable, "-m", package.name, "view", order),
            ],
            one["seconds"],
            cwd=str(package.parent),
        )
        if not outcome.ok:
            said = outcome.output
            raise Failure(
                f"the check {one['name']!r} refused the new files ({_ended(outcome)})", said
            )


def _ended(outcome: Outcome) -> str:
    return "it timed out" if outcome.status == 124 else f"exit status {outcome.status}"


def enter(order: str) -> None:
    """Inside the namespace: build the view and become the checker."""
    wish = json.loads(order)
    staged = Path(wish["staged"])
    files = [f"/{path.relative_to(staged)}" for path in staged.rglob("*") if path.is_file()]
    SCRATCH.mkdir(mode=0o700, parents=True, exist_ok=True)
    _mount(["-t", "tmpfs", "-o", "mode=0700", "tmpfs", str(SCRATCH)])
    for number, directory in enumerate(_tops([*files, *wish["removed"]])):
        _cover(SCRATCH / str(number), directory)
    for path in files:
        source, target = staged / path.lstrip("/"), Path(path)
        folder(target.parent)
        target.unlink(missing_ok=True)
        shutil.copy2(source, target)
        status = source.stat()
        os.chown(target, status.st_uid, status.st_gid)
    for path in wish["removed"]:
        Path(path).unlink(missing_ok=True)
    os.chdir("/")
    try:
        os.execvp(wish["argv"][0], wish["argv"])  # noqa: S606 - a constant argv, no shell
    except OSError as error:
        sys.exit(f"{wish['argv'][0]}: {error.strerror}")


def _tops(paths: Iterable[str]) -> list[str]:
    """The nearest existing directories above `paths`, none inside another."""
    nearest = set()
    for path in paths:
        parent = Path(path).parent
        while not parent.is_dir():
            parent = parent.parent
        if parent == parent.parent:
            sys.exit(f"{path}: its top directory does not exist on this machine")
        nearest.add(parent)
    return sorted(str(d) for d in nearest if not any(up in nearest for up in d.parents))


def _cover(scratch: Path, directory: str) -> None:
    upper, work = scratch / "upper", scratch / "work"
    upper.mkdir(parents=True)
    work.mkdir()
    shutil.copystat(directory, upper)
    options = f"lowerdir={directory},upperdir={upper},workdir={work}"
    if run(["mount", "-t", "overlay", "-o", options, "overlay", directory]).ok:
        return
    # Overlays stack two deep at most; a machine whose root is one already gets a copy.
    copy = scratch / "copy"
    run(["cp", "-a", "--", directory, str(copy)], 120)
    _mount(["--bind", str(copy), directory])


def _mount(arguments: list[str]) -> None:
    outcome = run(["mount", *arguments])
    if not outcome.ok:
        sys.exit(outcome.output)

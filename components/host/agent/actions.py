"""One-shot work: guard, do, undo, result."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Failure
from .run import ENVIRONMENT
from .store import Json, Store, generation

RUN = Path("/run/layered-cloud")
SHELL = ["/bin/bash", "-eu", "-o", "pipefail"]


class Action:
    """The texts of one action with its secrets laid out for as long as they run."""

    def __init__(self, request: Json, scratch: Path) -> None:
        self.request = request
        self.scratch = scratch

    def run(self, text: str) -> tuple[int, str, str]:
        """Exit status (124 after the action's own limit), output, and what went to stderr."""
        script = self.scratch / "text"
        script.write_text(_lent(self.request["seconds"]) + text)
        environment = {**ENVIRONMENT, "SECRETS": str(self.scratch / "secrets")}
        try:
            done = subprocess.run(
                [*SHELL, str(script)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.request["seconds"],
                env=environment,
                cwd="/root" if Path("/root").is_dir() else os.sep,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode(errors="replace")
            return 124, "", f"{said}no end within {self.request['seconds']} s\n"
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        return done.returncode, out, err

    def must(self, part: str) -> str:
        """Run one of the texts; raises `Failure` with its words."""
        status, out, err = self.run(self.request[part])
        if status != 0:
            words = "\n".join((out + err).splitlines()[-40:])
            raise Failure(
                f"{part!r} of the action {self.request['name']!r} failed (exit status {status})",
                words,
            )
        return out

    def holds(self) -> bool:
        return self.request["guard"] is not None and self.run(self.request["guard"])[0] == 0


@contextmanager
def _laid_out(request: Json) -> Iterator[Action]:
    RUN.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=RUN, prefix="action-"))
    try:
        (scratch / "secrets").mkdir(mode=0o700)
        for name, value in request["secrets"].items():
            path = scratch / "secrets" / name
            path.touch(mode=0o600)
            path.write_text(value)
        yield Action(request, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _lent(seconds: float) -> str:
    """What the texts may call beside the machine's own programs. A function, since nothing may be
    run from Debian's /run (noexec)."""
    program = Path(__file__).resolve().parent
    return (
        f"host-install() {{ PYTHONPATH='{program.parent}' '{sys.executable}' -P "
        f'-m {program.name} install {seconds:g} "$@"; }}\n'
    )


def clear_leftovers() -> None:
    """Take away the texts and secrets of actions that were killed."""
    for scratch in RUN.glob("action-*"):
        shutil.rmtree(scratch, ignore_errors=True)


def act(store: Store, request: Json) -> tuple[str, str]:
    """Do the work unless the guard holds; returns the result text and what was done."""
    with _laid_out(request) as action:
        said = "nothing to do"
        if request["do"] is not None:
            if action.holds():
                said = "already done"
            else:
                action.must("do")
                if request["guard"] is not None and not action.holds():
                    raise Failure(
                        f"'do' of the action {request['name']!r} succeeded, yet its guard does "
                        "not hold"
                    )
                said = "done"
        result = action.must("result") if request["result"] is not None else ""
    store.write("actions", request["name"], {"generation": _identity(request)})
    return result, said


def undo(store: Store, request: Json) -> tuple[str, str]:
    """Take the work back, if the machine still names this very generation."""
    record = store.read("actions", request["name"])
    if record is None or record["generation"] != _identity(request):
        return "", "left alone: the machine does not name this action"
    if request["undo"] is not None:
        with _laid_out(request) as action:
            action.must("undo")
    store.remove("actions", request["name"])
    return "", "undone"


def _identity(request: Json) -> str:
    # Secrets stay out: the digest lies on the disk, and a minted token is no part of the identity.
    return generation({key: value for key, value in request.items() if key != "secrets"})

"""Running the machine's own programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
}


@dataclass(frozen=True)
class Outcome:
    """An exit status (124 after a timeout, 127 for a missing program) and all it said."""

    status: int
    output: str

    @property
    def ok(self) -> bool:
        return self.status == 0


def run(
    argv: Sequence[str],
    seconds: float = 60,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Outcome:
    """Run `argv` to its end or for `seconds`; both its streams come back as one text."""
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            env={**ENVIRONMENT, **(environment or {})},
            cwd=cwd or os.sep,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        said = (late.output or b"").decode(errors="replace")
        return Outcome(124, f"{said}{argv[0]}: no answer within {seconds:g} s\n")
    except OSError as error:
        return Outcome(127, f"{argv[0]}: {error.strerror}\n")
    return Outcome(done.returncode, done.stdout.decode(errors="replace"))

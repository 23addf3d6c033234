"""Running the machine's own programs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
    # On Ubuntu it would restart daemons after an installation, whoever holds the VIPs.
    "NEEDRESTART_SUSPEND": "1",
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
    """Run `argv` to its end or for `seconds`; both its streams come back as one text.

    After that time it is ended with all that it started: apt's dpkg would otherwise go on alone.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**ENVIRONMENT, **(environment or {})},
            cwd=cwd or os.sep,
            start_new_session=True,
        )
    except OSError as error:
        return Outcome(127, f"{argv[0]}: {error.strerror}\n")
    with process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)
            said = (late.output or b"").decode(errors="replace")
            return Outcome(124, f"{said}{argv[0]}: no answer within {seconds:g} s\n")
    return Outcome(process.returncode, output.decode(errors="replace"))

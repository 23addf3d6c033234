"""`python3 -m bgpfigures DAEMON [bfd]` tells of the daemon's sessions for ever; with `--check`
behind it only once whether its words are understood."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import bird, frr
from .session import TOLD, Daemon, Session, text

SECONDS = 15
"""Between two questions: as often as Prometheus reads."""
PATIENCE = 10
"""Seconds that an answer may take."""
DAEMONS: Mapping[str, Daemon] = {"frr": frr.DAEMON, "bird": bird.DAEMON}
"""By the word of `routers.bgp.daemon`."""


def asked(daemon: Daemon, *, bfd: bool) -> list[Session] | None:
    """The daemon's sessions; None where it does not answer, and why on standard error."""
    try:
        told = _answer(daemon.sessions)
        seen = _answer(daemon.bfd) if bfd else None
        return list(daemon.read(told, seen, time.time()))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as problem:
        sys.stderr.write(f"no answer: {problem!r}\n")
        return None


def _answer(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return done.stdout


def write(content: str, path: Path) -> None:
    """Whole or not at all: the collector may read at any moment."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False) as new:
        new.write(content)
    made = Path(new.name)
    made.chmod(0o644)
    made.rename(path)


def main(arguments: Sequence[str]) -> int:
    """Exit status: 2 for arguments that are none."""
    name, *options = arguments or [""]
    daemon = DAEMONS.get(name)
    if daemon is None or set(options) - {"bfd", "--check"}:
        sys.stderr.write(f"python3 -m bgpfigures {'|'.join(DAEMONS)} [bfd] [--check]\n")
        return 2
    while "--check" not in options:
        write(text(name, asked(daemon, bfd="bfd" in options)), Path(TOLD))
        time.sleep(SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

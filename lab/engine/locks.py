"""What a run that was killed left in the backend and no later run could live with."""

from __future__ import annotations

import json
import time
from pathlib import Path

from lab.engine.errors import EngineError
from lab.engine.workdir import WorkDir

ATTRIBUTES = "*.attrs"
"""Sidecars of a file backend: what a file's type and checksum are. The engine asks for neither, and
writes none for us any more, but cannot read a file whose sidecar is cut off ("EOF")."""
PATIENCE = 60.0
"""Seconds that the command line of a killed run is given to end its steps."""


def clear(workdir: WorkDir) -> None:
    """Waits for the command line of a killed run to end, and removes the lock that it left and the
    attributes that it may have cut off.

    To be called under the lock of our own, when no run of ours is under way. Raises `EngineError`
    naming the process that does not end.
    """
    for lock in workdir.backend.glob(f".pulumi/locks/*/*/{workdir.stack}/*.json"):
        holder = _holder(lock)
        end = time.monotonic() + PATIENCE
        while holder and _works_here(holder, workdir):
            if time.monotonic() > end:
                raise EngineError(
                    f"process {holder} (pulumi, of a run that was killed) still works on the stack "
                    f"{workdir.stack}; wait for it, or end it: kill {holder}"
                )
            time.sleep(0.1)
        lock.unlink(missing_ok=True)
    for each in workdir.backend.rglob(ATTRIBUTES):
        each.unlink(missing_ok=True)


def _holder(lock: Path) -> int:
    try:
        return int(json.loads(lock.read_text()).get("pid") or 0)
    except (OSError, ValueError):
        return 0


def _works_here(pid: int, workdir: WorkDir) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"PULUMI_HOME={workdir.home}".encode() in environment.split(b"\0")

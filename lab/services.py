"""Long-running helpers of the lab, started once and ended by id."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.network.ip import argv_in
from lab.paths import state_dir
from lab.processes import detached, start_time


class ProcessFailed(RuntimeError):
    """A helper ended, or did not become ready in time; the text carries its last words."""

    human = True


@dataclass(frozen=True)
class Service:
    """One helper process of the lab, known by name."""

    name: str

    @property
    def _record(self) -> Path:
        return state_dir() / "services" / f"{self.name}.json"

    @property
    def log(self) -> Path:
        """Everything it printed."""
        return state_dir() / "services" / f"{self.name}.log"

    def pid(self) -> int | None:
        """Its pid while it runs."""
        try:
            record = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return None
        pid = int(record["pid"])
        return pid if start_time(pid) == record["start"] else None

    def start(self, argv: Sequence[str], env: dict[str, str] | None = None) -> None:
        """Start it in a session of its own; one that runs with another command line is ended."""
        if self.pid() is not None:
            if json.loads(self._record.read_text()).get("argv") == list(argv):
                return
            self.stop()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        child = detached(argv, self.log, env)
        temporary = self._record.with_suffix(".tmp")
        record = {"pid": child.pid, "start": start_time(child.pid), "argv": list(argv)}
        temporary.write_text(json.dumps(record))
        temporary.replace(self._record)

    def wait_tcp(self, address: str, port: int, namespace: str, seconds: float = 30) -> None:
        """Wait until it accepts TCP connections at `address` inside `namespace`.

        Raises:
            ProcessFailed: it ended, or `seconds` passed.
        """
        probe = argv_in(namespace, ["bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"])
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.pid() is None:
                raise ProcessFailed(f"{self.name} ended while starting:\n{self.last_words()}")
            if subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise ProcessFailed(
            f"{self.name} does not accept connections on {address}:{port} after {seconds:.0f} s:\n"
            f"{self.last_words()}"
        )

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(it printed nothing)"

    def stop(self, seconds: float = 10) -> None:
        """End it: first asked, then killed. Nothing happens when it is gone already."""
        pid = self.pid()
        if pid is not None:
            for sig in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, sig)
                deadline = time.monotonic() + seconds
                while self.pid() is not None and time.monotonic() < deadline:
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)
                    time.sleep(0.05)
                if self.pid() is None:
                    break
        self._record.unlink(missing_ok=True)

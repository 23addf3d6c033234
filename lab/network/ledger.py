"""What the lab has made or was about to make: written first, so that nothing is forgotten."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.network import ip


class Ledger:
    """The lab's namespaces by name, on disk, and the lock that serialises who changes them."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._path = state_dir / "network.json"
        self._lock = state_dir / "network.lock"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time; makes the state directory when it is missing."""
        self._state_dir.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def names(self) -> set[str]:
        """Every namespace that was to be made and not yet removed."""
        return set(self._read().get("namespaces", []))

    def add(self, name: str) -> None:
        """Note a namespace before it is made."""
        self._write({**self._read(), "namespaces": sorted(self.names() | {name})})

    def discard(self, name: str) -> None:
        """Forget a namespace after it is removed."""
        self._write({**self._read(), "namespaces": sorted(self.names() - {name})})

    def note_netns_dir(self) -> None:
        """Note once whether /run/netns was a mount before the lab made its first namespace."""
        data = self._read()
        if "made_netns_dir" not in data:
            self._write({**data, "made_netns_dir": not os.path.ismount(ip.NETNS_DIR)})

    @property
    def made_netns_dir(self) -> bool:
        """Whether the mount on /run/netns came with the lab."""
        return bool(self._read().get("made_netns_dir", False))

    def clear(self) -> None:
        """Forget everything, the lock's file included."""
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._lock.unlink()

    def _read(self) -> dict[str, Any]:
        try:
            data: dict[str, Any] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return data

    def _write(self, data: dict[str, Any]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(data))
        fresh.replace(self._path)

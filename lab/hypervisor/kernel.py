"""Kernel settings that all machines share, because they share the kernel.

A machine may write /proc/sys as on a kernel of its own (a kubelet does). What is not kept per
network namespace is this machine's: it is noted before the first lab starts, and put back when
the last one ends. The note lies in /run: it lives exactly as long as the kernel it describes.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SYS = Path("/proc/sys")
NOTE = Path("/run/layered-cloud/kernel.json")

RAISED = {
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 1048576,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
    "vm/max_map_count": 262144,
}
"""Limits per user, which all machines' root users share: at least these values."""

TOUCHED = (
    *("kernel/panic", "kernel/panic_on_oops", "kernel/sysrq", "kernel/core_uses_pid"),
    *("kernel/core_pattern", "kernel/pid_max", "kernel/printk", "kernel/kptr_restrict"),
    *("kernel/perf_event_paranoid", "vm/overcommit_memory", "vm/panic_on_oom", "vm/swappiness"),
    *("fs/protected_hardlinks", "fs/protected_symlinks", "fs/protected_regular"),
    *("fs/protected_fifos", "fs/file-max", "fs/nr_open", "net/core/bpf_jit_enable"),
    *("net/core/rmem_max", "net/core/wmem_max"),
)
"""What distributions' defaults, kubelets and CNIs are known to write."""


def enter(lab: Path, note: Path = NOTE, sys: Path = SYS) -> None:
    """A lab (its state directory) begins: note what is set, and raise the shared limits."""
    with _locked(note):
        data = _read(note)
        values = data.get("values") or {
            name: text for name in (*RAISED, *TOUCHED) if (text := _get(sys / name)) is not None
        }
        labs = sorted({*data.get("labs", []), str(lab)})
        fresh = note.with_suffix(".new")
        fresh.write_text(json.dumps({"labs": labs, "values": values}, indent=1))
        fresh.replace(note)
    for name, least in RAISED.items():
        with contextlib.suppress(OSError, ValueError):
            if int((sys / name).read_text()) < least:
                (sys / name).write_text(str(least))


def leave(lab: Path, note: Path = NOTE, sys: Path = SYS) -> None:
    """A lab ends: with the last one, everything is put back as it was noted."""
    if not note.exists():
        return
    with _locked(note):
        data = _read(note)
        labs = [one for one in data.get("labs", []) if one != str(lab) and Path(one).is_dir()]
        if labs:
            note.write_text(json.dumps({**data, "labs": labs}, indent=1))
            return
        for name, value in data.get("values", {}).items():
            if _get(sys / name) not in (None, value):
                with contextlib.suppress(OSError):
                    (sys / name).write_text(value)
        note.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        note.with_suffix(".lock").unlink()
        note.parent.rmdir()


def _get(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _read(note: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(note.read_text())
    except (OSError, ValueError):
        return {}
    return data


@contextlib.contextmanager
def _locked(note: Path) -> Iterator[None]:
    note.parent.mkdir(parents=True, exist_ok=True)
    with note.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

"""`python -m benchmark.inside PLAN`: the part that runs in namespaces of its own.

`enter` starts it with network, mounts and processes of its own: whatever ends it or its caller ends
all that it started, and its bridge, mounts and hosts' disks are gone with it.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark import pushes
from benchmark.cost import CommandError
from benchmark.hosts import HostsError, sweep
from benchmark.record import Plan
from benchmark.sides import Untrue
from lab.paths import CHECKOUT
from lab.software import checkers

TOOLS = ("systemd-nspawn", "unshare", "setpriv", "mount", "ip", "ssh")
WATCHES, OTHERS_WATCHES = 6, 64
"""Instances of inotify: a host has five (seen with systemd 252)."""
MEBIBYTES, OTHERS_MEBIBYTES = 48, 2048
"""A host has 25 (seen), and more while it is pushed to; the others are the commands."""


class Failed(RuntimeError):
    """It did not end well; what was wrong, it said itself."""


def enter(plan: Plan) -> None:
    """Measure pushes as planned, in namespaces that end with this process.

    Raises:
        Failed: it did not get to its end.
    """
    private = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    sweep()
    process = subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "KILL", "--", *private, "--propagation", "private", "--"),
            *("sh", "-c", 'mount -t tmpfs -o mode=0755 tmpfs /run && exec "$@"', "sh"),
            *(sys.executable, "-m", "benchmark.inside", plan.to_json()),
        ],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        # Ctrl-C is this process's, which then ends it whole.
        start_new_session=True,
    )
    # Who is told to end leaves through the `finally` below.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if process.wait():
            raise Failed(f"pushes to {plan.size} hosts: ended with {process.returncode}")
    finally:
        signal.signal(signal.SIGTERM, before)
        process.kill()
        process.wait()
        sweep()


def lacking(size: int) -> list[str]:
    """What this machine has not that it takes to measure pushes to that many hosts."""
    found = [f"{tool} (a program)" for tool in TOOLS if shutil.which(tool) is None]
    if unbuilt := checkers.lacking():
        found.append(unbuilt)
    watches = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    wanted = WATCHES * size + OTHERS_WATCHES
    if watches < wanted:
        found.append(
            f"fs.inotify.max_user_instances is {watches}, and {size} systemds want {wanted}: "
            f"sysctl -w fs.inotify.max_user_instances={wanted}"
        )
    told = re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())
    free, needed = int(told[1]) // 1024 if told else 0, MEBIBYTES * size + OTHERS_MEBIBYTES
    if free < needed:
        found.append(f"{free} MiB of memory are free, and {size} hosts want {needed}")
    return found


def main(argv: Sequence[str]) -> int:
    """Measures; an error that is meant for people is its text alone."""
    try:
        pushes.measured(Plan.read(argv[0]), lambda text: print(text, flush=True))
    except (HostsError, CommandError, Untrue) as wrong:
        print(wrong, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

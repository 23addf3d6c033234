"""`python -m benchmark.inside PLAN`: the part that runs in namespaces of its own.

`enter` starts it with network, mounts and processes of its own: whatever ends it or its caller ends
all that it started, and its bridge, mounts and hosts' disks are gone with it.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

from benchmark import pushes
from benchmark.cost import CommandError
from benchmark.hosts import HostsError, sweep
from benchmark.record import Plan
from benchmark.sides import Untrue
from lab.paths import CHECKOUT

TOOLS = ("systemd-nspawn", "unshare", "setpriv", "mount", "ip", "ssh")


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


def lacking() -> list[str]:
    """The programs that this machine does not have."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


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

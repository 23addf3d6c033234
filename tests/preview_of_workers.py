"""What a preview of a large stack costs: `python -m tests.preview_of_workers 10 100 1000`.

For each number of workers: seconds, and of CPU the program's own, and those of the engine with the
plugins. Kubernetes' and Proxmox's plugins are stood in for, so that they need not be built; with
`--real` they are the real ones.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence

from tests import whole
from tests.offline import engine_of


def measured(workers: int, real: bool) -> str:
    """One line of figures."""
    config = whole.with_workers(workers)
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    with engine_of("prod", config, real=real) as engine:
        started = time.monotonic()
        done = engine.preview(diff=False)
        seconds = time.monotonic() - started
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own, others = (
        now.ru_utime + now.ru_stime - then.ru_utime - then.ru_stime
        for now, then in zip(after, before, strict=True)
    )
    count = sum(done.changes.values())
    return (
        f"{workers:5} workers: {count:6} resources, {seconds:6.1f} s "
        f"({1000 * seconds / count:.0f} ms each); CPU: program {own:.1f} s, "
        f"engine and plugins {others:.1f} s; at most {after[1].ru_maxrss // 1024} MiB"
    )


def main(argv: Sequence[str]) -> None:
    """Prints a line for every number given."""
    for word in argv:
        if word != "--real":
            print(measured(int(word), "--real" in argv), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

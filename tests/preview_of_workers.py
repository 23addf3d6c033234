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

from lab.engine import Engine, workspace
from lab.engine.engine import OFFLINE
from lab.paths import CHECKOUT
from lab.software.plugins import BUILT, executable, folder
from tests import whole


def stand_in(engine: Engine) -> None:
    """Puts a plugin that takes anything in place of those that are built."""
    for name in BUILT:
        target = engine.workdir.home / "plugins" / folder(name) / executable(name)
        target.unlink(missing_ok=True)
        words = f"env PYTHONPATH={CHECKOUT} {sys.executable} -m tests.any_plugin {name}"
        target.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        target.chmod(0o755)


def measured(workers: int, real: bool) -> str:
    """One line of figures."""
    config = whole.with_workers(workers)
    secrets = {f"layered-cloud:{key}": value for key, value in whole.SECRETS.items()}
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    with workspace(
        "prod", config=config, secrets=secrets, throw_away=True, env={OFFLINE: "1"}
    ) as engine:
        if not real:
            stand_in(engine)
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

"""The machine that measures, described."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmark import peers
from benchmark.record import Bench
from lab.engine import Cli
from lab.software.plugins import found, sdk_version


def bench(cli: Cli) -> Bench:
    """This machine, with what it measures."""
    kind = "stand-in" if found("command") is None else "real"
    return Bench(
        cores=len(os.sched_getaffinity(0)),
        cpu=processor(Path("/proc/cpuinfo").read_text()),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)),
        distribution=platform.freedesktop_os_release()["PRETTY_NAME"],
        kernel=platform.release(),
        pulumi=f"{cli.version}, SDK {version('pulumi')}",
        command=f"{sdk_version('command')}, {kind}",
        ansible=peers.version(),
        python=platform.python_version(),
    )


def processor(cpuinfo: str) -> str:
    """The processors' model, with its numbers where its name alone says little (proc(5))."""
    rows = [line.partition(":") for line in cpuinfo.splitlines()]
    told = {name.strip(): value.strip() for name, _, value in reversed(rows)}
    numbers = [
        f"{name} {told[key]}"
        for name, key in (("family", "cpu family"), ("model", "model"))
        if key in told
    ]
    return f"{told.get('model name', platform.machine())} ({', '.join(numbers)})"

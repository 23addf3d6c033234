"""What a client of the LAN VIP feels meanwhile, by the stream that drills are measured with."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

from lab.probes.drills.stream import KINDS, Felt, Row, felt
from lab.probes.world import script
from tests.components.balancer_world import VIP
from tests.components.world import World

STEP = 0.03
"""Seconds from one request of a kind to the next: no gap is known more exactly."""
TRIES = 3


def stream(world: World) -> subprocess.Popen[bytes]:
    """Requests of `cdn`'s, as a drill sends them; once each way is answered."""
    spec = {"address": VIP, "port": 80, "host": "echo.lab.test", "path": "/"}
    spec |= {"rate": len(KINDS) / STEP, "timeout": 5, "pool": 10, "duration": 60}
    process = world.start("cdn", [sys.executable, "-c", script("stream"), json.dumps(spec)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def ended(process: subprocess.Popen[bytes], since: float) -> Felt:
    """What its client felt since that moment, and how late it was itself."""
    end = time.monotonic()
    said, _ = process.communicate(timeout=20)
    return felt([Row(*each) for each in json.loads(said)], since, end)


def assert_felt(attempt: Callable[[], Felt], seconds: float) -> None:
    """One of a few attempts, each from all well to all well, is felt no longer: on a machine that
    others use daemons are late now and then; what is not noticed in time is late each time."""
    said: list[Felt] = []
    while len(said) < TRIES and not (said and _within(said[-1], seconds)):
        said.append(attempt())
    print("; ".join(map(str, said)))
    assert _within(said[-1], seconds), "; ".join(map(str, said))


def _within(said: Felt, seconds: float) -> bool:
    return said.longest - said.lag < seconds + STEP

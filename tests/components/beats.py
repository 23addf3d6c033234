"""Requests at a steady beat, each by itself, and the longest time in which none was answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from tests.components.balancer_world import VIP
from tests.components.world import World

STEP = 0.03
"""Seconds from one request to the next: no gap is known more exactly."""
TRIES = 3
_BEATS = """
import json, socket, sys, threading, time
step, rows, stop = float(sys.argv[2]), [], threading.Event()
words = b"GET / HTTP/1.1", b"Host: echo.lab.test", b"Connection: close", b"", b""
def ask(late):
    ended = None
    try:
        with socket.create_connection((sys.argv[1], 80), 3) as s:
            s.settimeout(3)
            s.sendall(b"\\r\\n".join(words))
            if b" 200 " in s.recv(4096):
                ended = time.monotonic()
    except OSError:
        pass
    rows.append((late, ended))
def wait():
    sys.stdin.readline()
    stop.set()
threading.Thread(target=wait, daemon=True).start()
began = due = time.monotonic()
asked = []
while not stop.is_set():
    asked.append(threading.Thread(target=ask, args=(time.monotonic() - due,), daemon=True))
    asked[-1].start()
    if len(asked) == 10:
        print("ready", flush=True)
    due += step
    time.sleep(max(0, due - time.monotonic()))
for each in asked:
    each.join(7)
print(json.dumps(rows), flush=True)
"""
"""ADDRESS STEP: rows of how late each request was, and when its answer came; until a line comes."""


@dataclass(frozen=True)
class Felt:
    """`gap`: the longest time between two answers, in seconds; `late`: by how much the client
    itself was behind its beat at the most."""

    gap: float
    late: float

    def within(self, seconds: float) -> bool:
        """Whether the gap was no longer, as far as this client can tell."""
        return self.gap - self.late < seconds + STEP

    def __str__(self) -> str:
        return f"{self.gap:.2f} s without an answer (the client up to {self.late:.2f} s late)"


class Beats:
    """Requests to the VIP that are under way, from a space."""

    def __init__(self, world: World, space: str) -> None:
        argv = [sys.executable, "-c", _BEATS, VIP, str(STEP)]
        self._process: subprocess.Popen[bytes] = world.start(space, argv)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def end(self) -> Felt:
        """What was felt until now."""
        said, _ = self._process.communicate(b"\n", timeout=30)
        rows = json.loads(said)
        answered = sorted(ended for _, ended in rows if ended is not None)
        gaps = [after - before for before, after in pairwise(answered)]
        return Felt(gap=max(gaps), late=max(late for late, _ in rows))


def assert_felt(attempt: Callable[[], Felt], seconds: float) -> None:
    """One of a few attempts, each from all well to all well, is felt no longer: on a machine that
    others use daemons are late now and then; what is not noticed in time is late each time."""
    said: list[Felt] = []
    while len(said) < TRIES and not (said and said[-1].within(seconds)):
        said.append(attempt())
    print("; ".join(map(str, said)))
    assert said[-1].within(seconds), "; ".join(map(str, said))

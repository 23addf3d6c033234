"""A push to a machine of a pair as its agent does it: new files, and what the units do then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from components.host.pair import watch
from components.loadbalancers import haproxy
from settings.models import Stack
from tests.components import stacks
from tests.components.balancer_world import daemons, inside, lay, within
from tests.components.world import World, until

STREAM = """
import socket, sys, time
failed, sent, longest, last, wanted = [], 0, 0.0, time.monotonic(), sys.argv[3].encode()
print("ready", flush=True)
import threading
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(1), stop.set()), daemon=True).start()
while not stop.is_set():
    began = time.monotonic()
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 4) as s:
            s.settimeout(4)
            lines = b"GET /readyz HTTP/1.1", b"Host: echo.lab.test", b"Connection: close"
            s.sendall(b"\\r\\n".join((*lines, b"", b"")))
            said = s.recv(4096)
            if wanted not in said:
                failed.append(said[:60])
        longest = max(longest, time.monotonic() - last)
        last = time.monotonic()
    except OSError as error:
        failed.append(repr(error))
    sent += 1
    time.sleep(max(0, began + 0.03 - time.monotonic()))
print(len(failed), sent, f"{longest:.2f}", failed[:3], flush=True)
"""
"""New connections, some thirty a second, until a byte comes on standard input; then how many were
not answered, of how many, and the longest time between two answers: ADDRESS PORT WANTED."""


def in_maintenance(*names: str, **balancers: object) -> Stack:
    """The lab's stack with these machines in maintenance."""
    config = stacks.lab_config()
    config["maintenance"] = {"machines": list(names)}
    config["balancers"] |= {"max_connections": 1000, **balancers}
    return Stack.model_validate(config)


def push(world: World, name: str, files: Mapping[str, str]) -> float:
    """Lay the files, restart the watcher of the legs, reload keepalived and (on a balancer)
    HAProxy; the moment (monotonic) in which all that has been done."""
    lay(world, name, dict(files))
    if haproxy.BASE in files:
        said = within(world, name, haproxy.RELOAD)
        assert said.returncode == 0, said.stderr
    watch_again(world, name)
    os.kill(inside(world, name, "keepalived"), signal.SIGHUP)
    return time.monotonic()


def watch_again(world: World, name: str) -> None:
    """The watcher's unit restarts it."""
    for pid in daemons(world, name, "python3"):
        if b"legwatch" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
    target = inside(world, name, "keepalived")
    home = Path(watch.PROGRAM).parent
    world.start(
        name,
        [
            *("nsenter", "--mount", "--pid", f"--target={target}", "--root", "--wd"),
            *("sh", "-c", f"cd {home}; exec python3 -B -m legwatch {watch.CONFIG} 2>/dev/null"),
        ],
    )


def stream(world: World, space: str, address: str, port: int, wanted: str) -> Stream:
    """New connections from a space, until asked how they went."""
    process = world.start(space, [sys.executable, "-c", STREAM, address, str(port), wanted])
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return Stream(process)


class Stream:
    """New connections under way."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def end(self) -> tuple[int, int, float, str]:
        """How many failed, of how many, the longest time between two answers, and what was said."""
        out, _ = self.process.communicate(b"\n", timeout=20)
        failed, sent, longest, said = out.decode().split(maxsplit=3)
        return int(failed), int(sent), float(longest), said.strip()


def stays(world: World, name: str, seconds: float, owner: Callable[[World], str]) -> None:
    """Fails at the first moment in which `name` does not hold every address alone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert (now := owner(world)) == name, now
        time.sleep(0.05)


def moved(
    world: World, name: str, owner: Callable[[World], str], since: float, seconds: float
) -> float:
    """How long after `since` all addresses were on `name`."""
    until(lambda: owner(world) == name, f"{name} holds the addresses", seconds)
    return time.monotonic() - since

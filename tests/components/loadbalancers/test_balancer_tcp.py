"""TCP routes through a real balancer: who gets through, what the service sees, and how many."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy
from components.loadbalancers.model import Rooms
from tests.components import certificates, rendered, stacks
from tests.components.balancer_world import (
    CDN,
    STRANGER,
    VIP,
    balancer_files,
    build,
    get,
    stack_of,
    start_balancer,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
REAL = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
SERVICE = """
import socket, sys, threading
def talk(c, peer):
    if sys.argv[2] == "proxied":
        head = c.recv(16, socket.MSG_WAITALL)
        body = c.recv(int.from_bytes(head[14:16], "big"), socket.MSG_WAITALL)
        seen = socket.inet_ntop(socket.AF_INET, body[:4]) if head[13] == 0x11 else "check"
    else:
        seen = peer[0]
    try:
        c.sendall((seen + "\\n").encode())
        while (data := c.recv(4096)):
            c.sendall(data)
    except OSError:
        pass
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    threading.Thread(target=talk, args=s.accept(), daemon=True).start()
"""
"""Says whom it sees, then what it is told: PORT proxied|plain."""
ASK = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 3) as s:
        s.settimeout(float(sys.argv[3]))
        f = s.makefile("rw")
        seen = f.readline().strip()
        f.write("word\\n"); f.flush()
        print(seen, f.readline().strip())
except OSError as error:
    print(type(error).__name__)
"""
HOLD = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
s.makefile().readline()
print("open", flush=True)
sys.stdin.readline()
"""
FEW = {"max_connections": 100}
ROUTES = [
    {"name": "mail", "port": 25, "node_port": 30025, "proxy_protocol": True, "max_connections": 1},
    {"name": "database", "port": 5432, "node_port": 30432, "sources": [f"{CDN}/32"], **FEW},
    {"name": "short", "port": 5433, "node_port": 30432, "idle_timeout": 1, **FEW},
]


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    with World() as world:
        build(world, site)
        for node in ("cp-1", "worker-1", "worker-2"):
            for port, kind in ((30025, "proxied"), (30432, "plain")):
                process = world.start(node, [sys.executable, "-c", SERVICE, str(port), kind])
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
        stack = stack_of(tcp_routes=ROUTES)
        start_balancer(world, "lb-a", balancer_files(stack, "lb-a", site))
        until(lambda: get(world, "cdn")[0].get("status") == 200, "a request is answered", 40)
        until(lambda: ask(world, "cdn", 25).endswith(" word"), "a TCP route answers", 20)
        yield world


def ask(world: World, space: str, port: int, seconds: float = 4) -> str:
    """Whom the service saw, and what it answered."""
    return world.python(space, ASK, VIP, str(port), str(seconds))


@pytest.mark.root
@REAL
def test_a_service_sees_the_client_by_proxy_and_else_the_balancer(net: World) -> None:
    assert ask(net, "stranger", 25) == f"{STRANGER} word"
    assert ask(net, "cdn", 5432) == "198.18.10.11 word"


@pytest.mark.root
@REAL
def test_who_is_not_named_is_closed_at_once(net: World) -> None:
    said = ask(net, "stranger", 5432)

    assert "word" not in said


@pytest.mark.root
@REAL
def test_a_route_that_is_full_lets_who_comes_wait_and_no_other_route(net: World) -> None:
    held = hold(net, 25)
    assert ask(net, "stranger", 25, 1.5) == "TimeoutError"
    assert ask(net, "cdn", 5432).endswith(" word")
    assert get(net, "cdn")[0]["status"] == 200

    held.communicate(b"\n", timeout=10)
    until(lambda: ask(net, "stranger", 25).endswith(" word"), "there is room again", 10)


@pytest.mark.root
@REAL
def test_a_silent_connection_ends(net: World) -> None:
    script = HOLD.replace("sys.stdin.readline()", "print(len(s.recv(1)), flush=True)")
    said = net.run("cdn", [sys.executable, "-c", script, VIP, "5433"])

    assert said.stdout == "open\n0\n"


def hold(world: World, port: int) -> subprocess.Popen[bytes]:
    """A connection that stays open until a line is given."""
    process = world.start("cdn", [sys.executable, "-c", HOLD, VIP, str(port)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    return process


def test_rooms_are_shared_out_and_ports_kept_from_the_machines_own_connections() -> None:
    files = rendered.balancer_files(stacks.maintained(), "lb-a")

    assert "ip_local_reserved_ports = 15432\n" in files[haproxy.SYSCTL]
    assert Rooms.of(10_000, tcp=2000).service == Rooms.of(10_000).service - 2000

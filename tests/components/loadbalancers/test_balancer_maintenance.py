"""A balancer in maintenance, and nodes: a real pair under a stream of new connections.

One world for all tests, in the order written.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from components.host.pair import health
from components.loadbalancers import haproxy
from components.loadbalancers.backends import cookie
from components.loadbalancers.model import Server
from settings.models import Stack
from tests.components import certificates
from tests.components.balancer_world import (
    MANAGEMENT,
    VIP,
    api,
    balancer_files,
    build,
    daemons,
    get,
    inside,
    owner,
    start_balancer,
    within,
)
from tests.components.pair_push import in_maintenance, moved, push, stays, stream
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
TOLD = {
    "vrrp": {"preempt_delay": 2, "startup_delay": 1},
    "timeouts": {"http_request": 60},  # of a request that waits for a move
}
STICKY = {"ingress": {"sticky": "cookie"}}
SOON = 2.0
"""Seconds after the push within which a machine takes nothing new."""
CONNECTIONS = """
import urllib.request, sys
text = urllib.request.urlopen("http://198.18.0.21:8404/;csv", timeout=3).read().decode()
rows = [line.split(",") for line in text.removeprefix("# ").splitlines()]
row = next(row for row in rows if row[:2] == ["service", "FRONTEND"])
print(row[rows[0].index("conn_tot")])
"""
HELD = """
import http.client, json, sys
connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=8)
connection.request("GET", "/hold", headers={"Cookie": sys.argv[2]})
print("asked", flush=True)
answer = connection.getresponse()
print(answer.status, json.loads(answer.read())["node"], flush=True)
"""

BEGUN = """
import json, socket, sys
with socket.create_connection((sys.argv[1], 80), 5) as s:
    s.settimeout(20)
    s.sendall(b"GET /readyz HTTP/1.1\\r\\nHost: echo.lab.test\\r\\n")
    print("begun", flush=True)
    sys.stdin.readline()
    s.sendall(b"Connection: close\\r\\n\\r\\n")
    print(s.makefile("rb").readline().split()[1].decode(), flush=True)
"""
"""A request whose second half is sent when a line is given: the status of its answer."""


class Begun:
    """A connection of the stranger's that one balancer has, with half a request on it."""

    def __init__(self, world: World) -> None:
        self.process = world.start("stranger", [sys.executable, "-c", BEGUN, VIP])
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"begun\n"

    def end(self) -> str:
        """The status of the answer to the whole of it."""
        return self.process.communicate(b"\n", timeout=25)[0].decode().strip()


class Site:
    """The world, and the files of both balancers by who is in maintenance."""

    def __init__(self, world: World) -> None:
        self.world, self.site = world, certificates.self_signed("echo.lab.test")
        build(world, self.site)
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, self.files(name))

    def files(self, name: str, *maintained: str) -> dict[str, str]:
        stack: Stack = in_maintenance(*maintained, **TOLD, **STICKY)
        return balancer_files(stack, name, self.site)

    def push(self, name: str, *maintained: str) -> float:
        """The files that differ, as the agent does it."""
        pushed = {
            path: text
            for path, text in self.files(name, *maintained).items()
            if path != haproxy.CERTIFICATE
        }
        return push(self.world, name, pushed)

    def accepted(self) -> int:
        """Connections of visitors that lb-a has taken since its last reload."""
        return int(self.world.python("runner", CONNECTIONS))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with World() as world:
        made = Site(world)
        until(lambda: owner(world) == "lb-a", "lb-a owns both VIPs", 40)
        until(lambda: get(world, "cdn")[0].get("status") == 200, "a request is answered", 40)
        yield made


def test_a_balancer_in_maintenance_takes_no_new_connection_and_nobody_sees_an_error(
    site: Site,
) -> None:
    # Its peer is ready: keepalived there has run for as long as its checks take.
    until(lambda: ready(site.world, "lb-b"), "lb-b could take over", 20)
    sent, begun = stream(site.world, "cdn", VIP, 80, "200"), Begun(site.world)
    took = moved(site.world, "lb-b", owner, site.push("lb-a", "lb-a"), 10)
    assert begun.end() == "200"
    until(lambda: site.accepted() == 0, "lb-a has reloaded HAProxy without the VIPs", 5)
    stays(site.world, "lb-b", 2, owner)
    failed, count, longest, said = sent.end()
    print(
        f"VIPs moved {took:.2f} s after the push; {failed} of {count} failed, gap {longest:.2f} s"
    )

    assert took < SOON
    assert failed == 0, said
    assert count > 0
    assert site.accepted() == 0
    assert api(site.world, MANAGEMENT)["status"] == 200


def test_it_keeps_its_own_addresses_and_says_that_it_could_take_over(site: Site) -> None:
    shown = site.world.ip("lb-a", "-4", "addr", "show")

    assert "inet 198.18.10.11/24" in shown
    assert "inet 198.18.0.21/24" in shown
    assert (
        "in maintenance" in within(site.world, "lb-a", "cat", "/run/layered-pair/legs.why").stdout
    )
    asked = site.files("lb-a", "lb-a")[health.SCRIPT].partition("why=$(cat")[2]
    said = within(site.world, "lb-a", "sh", "-c", f"why=$(cat{asked}")
    assert said.stdout == "healthy\n"


def test_a_reload_and_a_new_start_leave_it_in_maintenance(site: Site) -> None:
    os.kill(inside(site.world, "lb-a", "keepalived"), signal.SIGHUP)
    assert within(site.world, "lb-a", haproxy.RELOAD).returncode == 0
    stays(site.world, "lb-b", 6, owner)

    for comm in ("keepalived", "haproxy", "python3"):
        for pid in daemons(site.world, "lb-a", comm):
            kill(pid)
    stays(site.world, "lb-b", 1, owner)
    start_balancer(site.world, "lb-a", site.files("lb-a", "lb-a"))
    stays(site.world, "lb-b", 12, owner)
    until(lambda: daemons(site.world, "lb-a", "keepalived"), "keepalived runs on lb-a")


def test_it_takes_over_while_its_peer_cannot_and_gives_way_again_without_an_error(
    site: Site,
) -> None:
    for pid in daemons(site.world, "lb-b", "haproxy"):
        os.kill(pid, signal.SIGSTOP)
    since = time.monotonic()
    print(f"a frozen peer was left after {moved(site.world, 'lb-a', owner, since, 8):.2f} s")
    assert get(site.world, "cdn")[0]["status"] == 200

    sent = stream(site.world, "cdn", VIP, 80, "200")
    for pid in daemons(site.world, "lb-b", "haproxy"):
        os.kill(pid, signal.SIGCONT)
    moved(site.world, "lb-b", owner, since, 30)
    stays(site.world, "lb-b", 2, owner)
    failed, count, longest, said = sent.end()
    print(f"{failed} of {count} failed, gap {longest:.2f} s")
    assert failed == 0, said


def test_a_node_in_maintenance_gets_nothing_new_finishes_what_it_has_and_its_visitors_move(
    site: Site,
) -> None:
    worker = "layered_node=" + cookie(Server(name="worker-1", address=None))  # type: ignore[arg-type]
    sticky = {"Cookie": worker}
    assert get(site.world, "stranger", sticky)[0]["node"] == "worker-1"
    held = site.world.start("stranger", ["python3", "-c", HELD, VIP, worker])
    assert held.stdout is not None
    assert held.stdout.readline() == b"asked\n"
    sent = stream(site.world, "cdn", VIP, 80, "200")

    site.push("lb-b", "lb-a", "worker-1")
    nodes = {get(site.world, "stranger", each)[0]["node"] for each in (sticky, {}, {}, {}, sticky)}

    assert "worker-1" not in nodes
    assert nodes
    assert held.stdout.readline() == b"200 worker-1\n"
    failed, _, _, said = sent.end()
    assert failed == 0, said


def test_it_has_its_addresses_back_when_its_name_is_taken_out(site: Site) -> None:
    sent, begun = stream(site.world, "cdn", VIP, 80, "200"), Begun(site.world)
    took = moved(site.world, "lb-a", owner, site.push("lb-a"), 30)
    assert begun.end() == "200"
    failed, count, longest, said = sent.end()
    print(f"back after {took:.2f} s; {failed} of {count} failed, gap {longest:.2f} s")

    assert failed == 0, said


def ready(world: World, name: str) -> bool:
    """Whether keepalived has run for as long as the watcher of the legs asks for (1 s of silence
    at its start and 5 s)."""
    ticks = within(world, name, "cut", "-d ", "-f22", f"/proc/{first(world, name)}/stat").stdout
    since_boot = within(world, name, "cut", "-d ", "-f1", "/proc/uptime").stdout
    return float(since_boot) - int(ticks) / os.sysconf("SC_CLK_TCK") > 6.5


def first(world: World, name: str) -> int:
    """keepalived's process id as its own machine sees it."""
    return int(within(world, name, "cat", "/run/keepalived.pid").stdout)


def kill(pid: int) -> None:
    """A process that may have ended since it was listed."""
    subprocess.run(["kill", "-KILL", str(pid)], check=False, stderr=subprocess.DEVNULL)

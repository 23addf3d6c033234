"""Two routers and three balancers that announce the service to them, with nodes and a client, in
namespaces, for tests of what they do."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.host.pair import watch
from components.host.pair.keepalived import CONFIG as KEEPALIVED
from components.host.speakers import bird
from components.loadbalancers import announce, haproxy, keepalived
from components.routers.linux import ways
from settings.models import Stack
from tests.components import rendered, stacks
from tests.components.balancer_world import node
from tests.components.router_world import plug_router, start_router, unsealed
from tests.components.world import World

ROUTERS = ("router-a", "router-b")
BALANCERS = {"lb-a": "198.18.10.11", "lb-b": "198.18.10.12", "lb-c": "198.18.10.13"}
VIP, PUBLIC, CLIENT = "198.18.30.1", "203.0.113.10", "198.51.100.10"

DAEMONS = f"""
/lib/systemd/systemd-sysctl {haproxy.SYSCTL}
(
    while :; do
        rm -f {announce.AWAY}
        echo 0 >{keepalived.ENDS}
        /usr/sbin/haproxy -W -f {haproxy.DIRECTORY} -p /run/haproxy.pid -S /run/haproxy-master.sock
        {haproxy.ENDED}
    done
) &
if [ -e {watch.CONFIG} ]; then
    mkdir -p /run/{watch.RUNTIME}
    (cd {Path(watch.PROGRAM).parent}; exec python3 -B -m legwatch {watch.CONFIG}) &
    until [ -e {watch.VERDICT} ]; do sleep 0.05; done
    /usr/sbin/keepalived -l -i container -f {KEEPALIVED}
fi
if [ "$speaker" = frr ]; then
    install -d -o frr -g frr /run/frr
    /usr/lib/frr/frrinit.sh start
else
    install -d -o bird -g bird /run/bird
    /usr/sbin/bird -u bird -g bird -c {bird.CONFIG}
fi
exec {announce.SCRIPT} watch
"""
"""What a balancer's units run, with the BGP daemon `speaker`; HAProxy's, as systemd has it: started
again when it ended."""

LOAD = """
import http.client, json, sys, threading, time
address, seconds, path = sys.argv[1], float(sys.argv[2]), sys.argv[3]
began, told = time.monotonic(), []
lock = threading.Lock()
def ask(connection, reused):
    at, said = time.monotonic() - began, "200"
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        said = str(answer.status)
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
        # A client opens another connection for what was not answered on one that it kept.
        said = "closed" if reused else type(error).__name__
    except (OSError, http.client.HTTPException) as error:
        said = type(error).__name__
    if said != "200":
        connection.close()
    with lock:
        told.append((at, "kept" if reused else "new", said))
    return said
def once():
    connection = http.client.HTTPConnection(address, 80, timeout=4)
    ask(connection, False)
    connection.close()
def keep():
    connection, reused = http.client.HTTPConnection(address, 80, timeout=4), False
    while time.monotonic() - began < seconds:
        reused = ask(connection, reused) == "200"
        time.sleep(0.1)
    connection.close()
threads = [threading.Thread(target=keep) for _ in range(int(sys.argv[4]))]
for each in threads:
    each.start()
print("began", flush=True)
while time.monotonic() - began < seconds:
    each = threading.Thread(target=once)
    each.start()
    threads.append(each)
    time.sleep(0.04)
for each in threads:
    each.join()
print(json.dumps(told))
"""
"""Requests over new connections, 25 a second, and over some that are kept: ADDRESS SECONDS PATH
KEPT. Tells when each began, over which, and what came of it."""


@dataclass(frozen=True)
class Outcome:
    """What came of the requests of a while: (seconds since its beginning, connection, answer)."""

    told: list[tuple[float, str, str]]

    @property
    def lost(self) -> list[tuple[float, str, str]]:
        """Those that got no good answer; not those that a client asks again, since the connection
        that it had kept was closed before any."""
        return [each for each in self.told if each[2] not in ("200", "closed")]

    @property
    def closed(self) -> int:
        """Connections that were kept, and closed by the other end."""
        return sum(1 for each in self.told if each[2] == "closed")

    def __str__(self) -> str:
        span = f" from {self.lost[0][0]:.2f} to {self.lost[-1][0]:.2f} s" if self.lost else ""
        return f"{len(self.lost)} of {len(self.told)} lost{span}, {self.closed} connections closed"


@dataclass
class Load:
    """Requests that are under way."""

    process: subprocess.Popen[bytes]

    def end(self) -> Outcome:
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        return Outcome(sorted(tuple(each) for each in told))


def load(world: World, seconds: float, path: str = "/", kept: int = 8) -> Load:
    argv = [sys.executable, "-c", LOAD, PUBLIC, str(seconds), path, str(kept)]
    process = world.start("client", argv)
    assert process.stdout is not None
    assert process.stdout.readline() == b"began\n"
    return Load(process)


def stack_of(daemon: str, away: tuple[str, ...] = ()) -> Stack:
    """The stack, its connections within any machine's limit of open files; `away` are machines in
    maintenance."""
    stack = stacks.announced(daemon)
    stack.maintenance.machines.extend(away)
    few = stack.balancers.model_copy(update={"max_connections": 1000})
    return stack.model_copy(update={"balancers": few})


def build(world: World, stack: Stack, site: str) -> None:
    for bridge in ("mgmt", "lan", "wan", "sync", "cdn"):
        world.bridge(bridge)
    world.space("isp")
    world.plug("isp", "eth0", "wan", "203.0.113.1/24")
    world.plug("isp", "eth1", "cdn", "198.51.100.1/24")
    world.run("isp", ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    world.space("client")
    world.plug("client", "eth0", "cdn", f"{CLIENT}/24")
    world.ip("client", "route", "add", "default", "via", "198.51.100.1")
    world.space("runner")
    world.plug("runner", "eth0", "mgmt", "198.18.0.5/24")
    path = world.file("site.pem", site)
    for name, last in (("cp-1", 21), ("worker-1", 31), ("worker-2", 32)):
        node(world, name, last, path)
        world.ip(name, "route", "add", "default", "via", "198.18.10.1")
    world.plug("cp-1", "eth1", "mgmt", "198.18.0.31/24")
    for name, last in (("router-a", 2), ("router-b", 3)):
        plug_router(world, name, last)
        start_router(world, name, stack)
        # Of the machine that the tests run on, not of the tree: bash and iproute2 are everywhere.
        leading = world.file(f"{name}-ways", rendered.router_files(stack, name)[ways.SCRIPT])
        world.start(name, ["bash", str(leading)])
    for name, address in BALANCERS.items():
        world.space(name)
        world.plug(name, "eth0", "mgmt", f"198.18.0.{int(address[-2:]) + 10}/24")
        world.plug(name, "eth1", "lan", f"{address}/24")
        world.ip(name, "route", "add", "default", "via", "198.18.10.1")
        files = rendered.balancer_files(stack, name) | {haproxy.CERTIFICATE: site}
        modes = rendered.executable(rendered.balancer_whole(stack, name))
        assert stack.routers.bgp is not None
        script = f"speaker={stack.routers.bgp.daemon}\n{DAEMONS}"
        world.daemons(name, {p: unsealed(text) for p, text in files.items()}, script, modes)


def ways_of(world: World, router: str) -> list[str]:
    """The balancers over which a router's kernel reaches the service."""
    routes: list[dict[str, Any]] = json.loads(
        world.ip(router, "-json", "route", "show", f"{VIP}/32") or "[]"
    )
    hops = {
        hop["gateway"]
        for route in routes
        for hop in (route, *route.get("nexthops", []))
        if "gateway" in hop
    }
    return [name for name, address in BALANCERS.items() if address in hops]


def requests(world: World) -> dict[str, int]:
    """How many requests each balancer has had (HAProxy management guide, section 9.1)."""
    script = (
        "import urllib.request,sys;"
        "print(urllib.request.urlopen(sys.argv[1], timeout=3).read().decode())"
    )
    found = {}
    for name, address in BALANCERS.items():
        url = f"http://198.18.0.{int(address[-2:]) + 10}:8404/;csv"
        header, *lines = world.python("runner", script, url).removeprefix("# ").splitlines()
        rows = [dict(zip(header.split(","), line.split(","), strict=False)) for line in lines]
        found[name] = sum(
            int(row["req_tot"]) for row in rows if (row["pxname"], row["svname"]) == SERVICE
        )
    return found


SERVICE = ("service", "FRONTEND")

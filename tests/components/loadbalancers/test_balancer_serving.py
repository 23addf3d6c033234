"""Who holds the addresses when one balancer would serve less than the other: a real pair.

One world for all tests, from birth (no routes anywhere) to a pair that serves.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy, keepalived
from settings.models import Stack
from tests.components import certificates
from tests.components.balancer_world import (
    MANAGEMENT,
    VIP,
    api,
    balancer_files,
    build,
    get,
    lay,
    owner,
    stack_of,
    start_balancer,
    within,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
NODES = ("198.18.10.21", "198.18.10.31", "198.18.10.32")
INGRESS, MAIL, CALLS = (30080, 30443), 30025, 30310
OWN = {
    "tcp_routes": [{"name": "mail", "port": 2525, "node_port": MAIL, "max_connections": 50}],
    "routes": [{"name": "calls", "prefixes": ["/calls"], "node_port": CALLS}],
}
"""Two applications with NodePorts of their own."""
APPLICATION = """
import socket, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    listener.accept()[0].close()
"""


class Site:
    """The world, its nodes, and the files of both balancers."""

    def __init__(self, world: World) -> None:
        self.world = world
        site = certificates.self_signed("echo.lab.test")
        self.nodes: dict[str, subprocess.Popen[bytes]] = build(world, site)
        self.applications: dict[int, list[subprocess.Popen[bytes]]] = {}
        for port in (MAIL, CALLS):
            self.begin(port)
        stack: Stack = stack_of(vrrp={"preempt_delay": 2, "startup_delay": 1}, **OWN)
        self.files = {name: balancer_files(stack, name, site) for name in ("lb-a", "lb-b")}
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, balancer_files(stack, name, site, routes=False))

    def give_routes(self, name: str) -> None:
        """The second push, as the agent does it."""
        wanted = (haproxy.ROUTES, haproxy.CDN, haproxy.CERTIFICATE)
        lay(self.world, name, {path: self.files[name][path] for path in wanted})
        said = within(self.world, name, haproxy.RELOAD)
        assert said.returncode == 0, said.stderr

    def begin(self, port: int) -> None:
        """An application on every node."""
        started = []
        for node in self.nodes:
            process = self.world.start(node, [sys.executable, "-c", APPLICATION, str(port)])
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            started.append(process)
        self.applications[port] = started

    def end(self, port: int) -> None:
        """The application is gone everywhere."""
        for process in self.applications.pop(port):
            self.world.stop(process)

    def reaches(self, name: str, *ports: int, again: bool) -> None:
        """Whether a balancer gets to these ports of nodes."""
        for port in ports:
            rule = ("ipproto", "tcp", "dport", str(port), "prohibit")
            self.world.ip(name, "rule", "del" if again else "add", *rule)

    def says(self, name: str) -> tuple[int, int]:
        """What keepalived is told: 0 while all is there; of the ingress and the API, and of what
        has servers of its own."""
        scripts = (keepalived.SERVES, keepalived.OWN)
        first, second = (within(self.world, name, each).returncode for each in scripts)
        return first, second

    def agree(self, *said: tuple[int, int]) -> None:
        """The two balancers tell keepalived this (a machine short of time may say no to one)."""
        until(lambda: tuple(map(self.says, ("lb-a", "lb-b"))) == said, f"they say {said}", 10)

    def answer(self, status: int) -> None:
        """What every node's health check and API say from now on."""
        for process in self.nodes.values():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{status}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline() == b"set\n"

    def stays(self, name: str, seconds: float) -> None:
        """Fails at the first moment in which `name` does not hold both addresses alone."""
        began = time.monotonic()
        while (since := time.monotonic() - began) < seconds:
            assert owner(self.world) == name, f"after {since:.1f} s"
            time.sleep(0.1)

    def served(self) -> bool:
        return get(self.world, "cdn")[0].get("status") == 200


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with World() as world:
        yield Site(world)


def test_at_birth_the_owner_holds_the_addresses_so_that_nodes_can_join(site: Site) -> None:
    until(lambda: owner(site.world) == "lb-a", "lb-a owns the addresses", 20)
    until(lambda: api(site.world, VIP).get("status") == 200, "the API answers", 10)
    assert api(site.world, MANAGEMENT)["status"] == 200
    assert not site.served()


def test_a_balancer_that_has_its_routes_is_preferred_to_an_owner_that_has_not(site: Site) -> None:
    site.give_routes("lb-b")

    until(lambda: owner(site.world) == "lb-b", "lb-b took over", 25)
    until(site.served, "requests are answered", 10)
    site.stays("lb-b", 5)
    assert site.served()


def test_the_owner_returns_once_it_serves_too(site: Site) -> None:
    site.give_routes("lb-a")

    until(lambda: owner(site.world) == "lb-a", "lb-a took over", 25)
    assert site.served()


def test_nothing_moves_when_every_server_is_down_and_comes_back(site: Site) -> None:
    until(lambda: api(site.world, VIP).get("status") == 200, "all is up", 10)
    time_to_settle = 11  # the backup counts ten good answers before it says that it serves
    site.stays("lb-a", time_to_settle)

    site.answer(503)
    site.stays("lb-a", 9)
    assert get(site.world, "cdn")[0]["status"] == 503
    site.answer(200)
    until(site.served, "requests are answered", 10)
    site.stays("lb-a", 9)


@pytest.mark.parametrize("port", [MAIL, CALLS])
def test_nothing_moves_when_an_application_is_dead_for_both_and_comes_back(
    site: Site, port: int
) -> None:
    site.end(port)
    site.stays("lb-a", 9)
    site.agree((0, 1), (0, 1))
    assert site.served()
    site.begin(port)
    site.stays("lb-a", 14)
    site.agree((0, 0), (0, 0))


def test_the_balancer_that_reaches_every_application_is_preferred(site: Site) -> None:
    site.reaches("lb-a", MAIL, again=False)

    until(lambda: owner(site.world) == "lb-b", "lb-b took over", 25)
    site.agree((0, 1), (0, 0))
    site.stays("lb-b", 5)
    assert site.served()


def test_the_ingress_weighs_more_than_any_application(site: Site) -> None:
    """lb-a, which still reaches an application less, is better than one without the ingress."""
    site.reaches("lb-b", *INGRESS, again=False)
    until(lambda: owner(site.world) == "lb-a", "lb-a took over", 25)
    site.agree((0, 1), (1, 0))
    until(site.served, "requests are answered", 10)
    site.stays("lb-a", 5)

    site.reaches("lb-b", *INGRESS, again=True)
    until(lambda: owner(site.world) == "lb-b", "lb-b is the better one again", 35)
    site.reaches("lb-a", MAIL, again=True)
    until(lambda: owner(site.world) == "lb-a", "the owner returns", 25)
    assert site.served()


def test_an_owner_that_reaches_no_server_gives_way_to_a_backup_that_does(site: Site) -> None:
    for node in NODES:
        site.world.ip("lb-a", "route", "add", "prohibit", f"{node}/32")

    until(lambda: owner(site.world) == "lb-b", "lb-b took over", 25)
    until(site.served, "requests are answered", 10)

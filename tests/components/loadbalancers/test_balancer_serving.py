"""Who holds the addresses when one balancer would serve less than the other: a real pair.

One world for all tests, from birth (no routes anywhere) to a pair that serves.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy
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


class Site:
    """The world, its nodes, and the files of both balancers."""

    def __init__(self, world: World) -> None:
        self.world = world
        site = certificates.self_signed("echo.lab.test")
        self.nodes: dict[str, subprocess.Popen[bytes]] = build(world, site)
        stack: Stack = stack_of(vrrp={"preempt_delay": 2, "startup_delay": 1})
        self.files = {name: balancer_files(stack, name, site) for name in ("lb-a", "lb-b")}
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, balancer_files(stack, name, site, routes=False))

    def give_routes(self, name: str) -> None:
        """The second push, as the agent does it."""
        wanted = (haproxy.ROUTES, haproxy.CDN, haproxy.CERTIFICATE)
        lay(self.world, name, {path: self.files[name][path] for path in wanted})
        said = within(self.world, name, haproxy.RELOAD)
        assert said.returncode == 0, said.stderr

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


def test_an_owner_that_reaches_no_server_gives_way_to_a_backup_that_does(site: Site) -> None:
    for node in NODES:
        site.world.ip("lb-a", "route", "add", "prohibit", f"{node}/32")

    until(lambda: owner(site.world) == "lb-b", "lb-b took over", 25)
    until(site.served, "requests are answered", 10)

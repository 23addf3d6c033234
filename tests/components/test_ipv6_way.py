"""A visitor by IPv6 on the whole way to the ingress: real routers, real balancers, PROXY v2 behind.

One world for all tests, in the order written: the last ones take daemons and a machine away.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.components import balancer_world, certificates, router_world, stacks
from tests.components.balancer_world import node, start_balancer
from tests.components.ipv6_world import BALANCERS6, CLIENT6, PUBLIC6, ROUTERS, STRANGER6, add
from tests.components.router_world import PUBLIC, processes, start_router
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]

BALANCERS = ("lb-a", "lb-b")
VISITOR = "2001:db8:ffff::7"


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    with World() as world:
        router_world.build(world)
        add(world)
        # Real ones stand in their places.
        for double in ("balancer", "node"):
            world.ip(double, "addr", "flush", "dev", "eth0")
        for last, name in enumerate(BALANCERS, start=1):
            world.space(name)
            world.plug(name, "eth0", "mgmt", f"198.18.0.2{last}/24")
            world.plug(name, "eth1", "lan", f"198.18.10.1{last}/24", f"fd00:10::1{last}/64")
            world.ip(name, "route", "add", "default", "via", router_world.GATEWAY)
            world.ip(name, "-6", "route", "add", "default", "via", "fd00:10::1", "dev", "eth1")
        path = world.file("site.pem", site)
        for name, last in (("cp-1", 21), ("worker-1", 31), ("worker-2", 32)):
            node(world, name, last, path)
        world.plug("cp-1", "eth1", "mgmt", "198.18.0.31/24")
        stack = both()
        for name in ROUTERS:
            start_router(world, name, stack)
        for name in BALANCERS:
            start_balancer(world, name, balancer_world.balancer_files(stack, name, site))
        until(lambda: router_world.owner(world) == "router-a", "router-a owns the addresses", 60)
        until(lambda: holders(world) == ["lb-a"], "lb-a has the address of IPv6", 60)
        until(lambda: get(world, "client").get("status") == 200, "HTTP by IPv6", 60)
        until(lambda: get(world, "client", tls=True).get("status") == 200, "HTTPS by IPv6", 60)
        yield world


def both() -> stacks.Stack:
    """Both families, with as many connections as any machine has files for."""
    stack = stacks.both_families()
    few = stack.balancers.model_copy(update={"max_connections": balancer_world.MAX_CONNECTIONS})
    return stack.model_copy(update={"balancers": few})


def holders(world: World) -> list[str]:
    return [
        name
        for name in BALANCERS
        if f"inet6 {BALANCERS6}/" in world.ip(name, "-6", "addr", "show", "dev", "eth1")
    ]


def get(
    world: World,
    space: str,
    headers: dict[str, str] | None = None,
    *,
    tls: bool = False,
    address: str = PUBLIC6,
) -> dict[str, object]:
    return balancer_world.get(world, space, headers or {}, tls=tls, address=address)[0]


@pytest.mark.parametrize("tls", [False, True])
def test_a_visitor_by_ipv6_reaches_the_ingress_with_its_own_address(net: World, tls: bool) -> None:
    seen = get(net, "client", tls=tls)

    assert (seen["status"], seen["client"]) == (200, CLIENT6)


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC6])
def test_the_cdn_names_the_visitor_by_either_family(net: World, address: str) -> None:
    for visitor in (VISITOR, "192.0.2.7"):
        seen = get(net, "client", {"CF-Connecting-IP": visitor}, address=address)

        assert (seen["status"], seen["client"]) == (200, visitor)


@pytest.mark.parametrize("tls", [False, True])
def test_visitors_of_both_families_on_one_connection_of_the_cdn_are_told_apart(
    net: World, tls: bool
) -> None:
    visitors = [VISITOR, "192.0.2.7", VISITOR, "192.0.2.8", "192.0.2.8", VISITOR] * 2
    named = [{"CF-Connecting-IP": visitor} for visitor in visitors]
    seen = balancer_world.get(net, "client", *named, tls=tls, address=PUBLIC6)

    assert [each["client"] for each in seen] == visitors
    assert {each["headers"]["x-forwarded-port"] for each in seen} == {"443" if tls else "80"}


def test_nobody_else_comes_in(net: World) -> None:
    assert STRANGER6 in net.ip("stranger", "-6", "addr", "show")
    assert get(net, "stranger") == {"error": "TimeoutError"}


def test_the_address_of_ipv6_moves_with_the_others(net: World) -> None:
    for pid in processes(net, "lb-a", "haproxy"):
        os.kill(pid, signal.SIGSTOP)
    until(lambda: holders(net) == ["lb-b"], "lb-b has the address of IPv6", 30)
    until(lambda: get(net, "client").get("status") == 200, "HTTP through lb-b", 15)
    assert get(net, "client", tls=True)["client"] == CLIENT6

    for pid in processes(net, "lb-a", "haproxy"):
        os.kill(pid, signal.SIGCONT)
    until(lambda: holders(net) == ["lb-a"], "lb-a has it back after its delay", 60)
    until(lambda: get(net, "client").get("status") == 200, "HTTP through lb-a", 15)


def test_a_router_that_is_lost_costs_a_visitor_a_moment(net: World) -> None:
    for interface in ("eth0", "eth1", "eth2", "eth3"):
        net.ip("router-a", "link", "set", interface, "down")
    until(lambda: get(net, "client").get("status") == 200, "HTTP through router-b", 20)

    assert get(net, "client", tls=True)["client"] == CLIENT6

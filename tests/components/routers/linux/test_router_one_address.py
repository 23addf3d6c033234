"""Two routers and one public address, with real daemons in namespaces: a provider's /30 that has an
address for itself and one for us.

One world for all tests, in the order written: the last one pulls the plug of the owner.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.components import stacks
from tests.components.router_world import (
    CLIENT,
    GATEWAY,
    PUBLIC,
    STRANGER,
    ask,
    echoes,
    hold,
    nft,
    owner,
    processes,
    replicated,
    serve,
    start_router,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(900),
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
ROUTERS = ("router-a", "router-b")
PROVIDER = "203.0.113.9"
SERVED = 2.0
"""Seconds: the longest that an owner's loss may be felt."""
SEEN = (
    "add table inet seen; add counter inet seen own; add chain inet seen in "
    "{ type filter hook prerouting priority raw; }; "
    'add rule inet seen in iifname "eth0" ip saddr != { 0.0.0.0, 203.0.113.10 } counter name own; '
    "add table arp seen; add counter arp seen own; add chain arp seen in "
    "{ type filter hook input priority 0; }; "
    "add rule arp seen in arp daddr ip 203.0.113.9 arp saddr ip != { 0.0.0.0, 203.0.113.10 } "
    "counter name own"
)
"""The provider's router counts what comes from an address that it did not give us. Of 0.0.0.0 is an
interface that has none yet and tells its multicast groups (RFC 3376, 4.2.13)."""
FROM = """
import socket, sys
with socket.socket() as s:
    s.settimeout(1.5)
    s.bind((sys.argv[1], 0))
    try:
        s.connect((sys.argv[2], int(sys.argv[3])))
        print(s.makefile().readline().strip())
    except OSError as error:
        print(type(error).__name__)
"""
"""A connection from an address: OWN ADDRESS PORT."""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        for bridge in ("mgmt", "lan", "wan", "sync", "cdn", "other"):
            world.bridge(bridge)
        world.space("isp")
        world.plug("isp", "eth0", "wan", f"{PROVIDER}/30")
        world.plug("isp", "eth1", "cdn", "198.51.100.1/24")
        world.plug("isp", "eth2", "other", "192.0.2.1/24")
        world.run("isp", ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
        said = world.run("isp", [*nft(), SEEN])
        assert (said.returncode, said.stderr) == (0, "")
        for name, bridge, address, gateway in (
            ("client", "cdn", f"{CLIENT}/24", "198.51.100.1"),
            ("stranger", "other", f"{STRANGER}/24", "192.0.2.1"),
            ("balancer", "lan", "198.18.10.11/24", GATEWAY),
            ("node", "lan", "198.18.10.31/24", GATEWAY),
        ):
            world.space(name)
            world.plug(name, "eth0", bridge, address)
            world.ip(name, "route", "add", "default", "via", gateway)
        world.ip("balancer", "addr", "add", "198.18.10.10/32", "dev", "eth0")
        serve(world, "balancer", 80)
        serve(world, "stranger", 9000)
        for name, last in (("router-a", 2), ("router-b", 3)):
            world.space(name)
            world.plug(name, "eth0", "mgmt", f"198.18.0.{last + 9}/24")
            world.plug(name, "eth1", "lan", f"198.18.10.{last}/24")
            world.plug(name, "eth2", "wan", f"100.64.0.{last}/29")
            world.plug(name, "eth3", "sync", f"198.18.20.{last}/24")
            start_router(world, name, stacks.one_address())
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 60)
        yield world


def defaults(world: World, name: str) -> list[str]:
    """A router's ways out, the one that is taken first."""
    routes = json.loads(world.ip(name, "-4", "-json", "route", "show", "default"))
    return [each["gateway"] for each in sorted(routes, key=lambda each: each.get("metric", 0))]


def own(world: World) -> int:
    """Packets and questions that reached the provider from another address than the public one."""
    total = 0
    for family in ("inet", "arp"):
        argv = [*nft(), "-j", "list", "counter", family, "seen", "own"]
        said = json.loads(world.run("isp", argv).stdout)["nftables"]
        total += next(int(each["counter"]["packets"]) for each in said if "counter" in each)
    return total


def test_the_way_out_is_the_owners_and_the_other_goes_through_it(net: World) -> None:
    until(lambda: defaults(net, "router-a") == [PROVIDER, "198.18.20.3"], "router-a has its way")
    assert defaults(net, "router-b") == ["198.18.20.2"]
    assert f"{PUBLIC}/30" in net.ip("router-a", "-4", "addr", "show", "eth2")


def test_visitors_reach_the_balancers_and_everybody_gets_out_by_the_one_address(net: World) -> None:
    assert ask(net, "client", PUBLIC, 80) == CLIENT
    for name in ("node", *ROUTERS):
        assert ask(net, name, STRANGER, 9000) == PUBLIC, name
    assert own(net) == 0, "nothing with another source has reached the provider"


def test_a_routers_own_address_does_not_leave_even_where_somebody_asks_for_it(net: World) -> None:
    for address in ("100.64.0.2", "198.18.10.2", "198.18.20.2"):
        said = net.python("router-a", FROM, address, STRANGER, "9000")
        assert said in ("TimeoutError", "PermissionError"), (address, said)
    assert own(net) == 0
    argv = [*nft(), "-j", "list", "counter", "inet", "layered", "own_address"]
    counters = json.loads(net.run("router-a", argv).stdout)["nftables"]
    assert [each["counter"]["packets"] > 0 for each in counters if "counter" in each] == [True]


def test_a_reload_takes_no_way_out_away(net: World) -> None:
    for name in ROUTERS:
        (pid, *_) = processes(net, name, "keepalived")
        os.kill(pid, signal.SIGHUP)
    for name in ROUTERS:
        until(lambda name=name: "Reload complete" in net.log(name).read_text(), f"{name} is loaded")  # type: ignore[misc]
    assert owner(net) == "router-a"
    assert defaults(net, "router-a") == [PROVIDER, "198.18.20.3"]
    assert defaults(net, "router-b") == ["198.18.20.2"]
    assert ask(net, "router-b", STRANGER, 9000) == PUBLIC


def test_a_provider_that_is_away_moves_nothing(net: World) -> None:
    """Neither router sees it then: the one without an address of its subnet asks it too."""
    states = [net.log(name).read_text().count(" STATE") for name in ROUTERS]
    net.cut("isp", "eth0")
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert owner(net) == "router-a"
        time.sleep(0.05)
    net.mend("isp", "eth0")
    until(lambda: ask(net, "client", PUBLIC, 80) == CLIENT, "visitors are back")
    assert [net.log(name).read_text().count(" STATE") for name in ROUTERS] == states


@pytest.mark.parametrize("interface", ["eth2", "eth1"])
def test_a_leg_cut_behind_the_switch_moves_the_address_and_the_way_out(
    net: World, interface: str
) -> None:
    net.cut("router-a", interface)
    lost = time.monotonic()
    until(lambda: owner(net) == "router-b", "router-b alone owns both addresses", 5)
    print(f"{interface} of the owner cut: {time.monotonic() - lost:.2f} s")
    assert "state UP" in net.ip("router-a", "link", "show", interface)
    assert ask(net, "client", PUBLIC, 80) == CLIENT
    until(lambda: defaults(net, "router-b")[0] == PROVIDER, "router-b has the way out")
    assert defaults(net, "router-a") == ["198.18.20.3"]
    for name in (*ROUTERS, *(["node"] if interface == "eth2" else [])):
        assert ask(net, name, STRANGER, 9000) == PUBLIC, name

    net.mend("router-a", interface)
    until(lambda: owner(net) == "router-a", "router-a has both back", 30)
    assert ask(net, "router-b", STRANGER, 9000) == PUBLIC
    assert own(net) == 0


def test_the_owners_way_out_is_there_again_when_somebody_takes_it_away(net: World) -> None:
    net.ip("router-a", "route", "del", "default", "via", PROVIDER)

    def served() -> bool:
        at = owner(net)
        return at in ROUTERS and defaults(net, at)[:1] == [PROVIDER]

    until(served, "the owner has the way out", 20)
    until(lambda: owner(net) == "router-a", "router-a owns the addresses", 30)
    assert ask(net, "node", STRANGER, 9000) == PUBLIC


def test_open_connections_survive_the_loss_of_the_owner(net: World) -> None:
    inbound = hold(net, "client", PUBLIC, 80)
    outbound = hold(net, "node", STRANGER, 9000)
    assert all(echoes(each, b"before") for each in (inbound, outbound))
    until(lambda: replicated(net) >= 2, "router-b knows the two connections")

    for interface in ("eth0", "eth1", "eth2", "eth3"):
        net.ip("router-a", "link", "set", interface, "down")
    lost = time.monotonic()
    until(lambda: owner(net, ("router-b",)) == "router-b", "router-b owns the addresses", 5)
    took = time.monotonic() - lost
    print(f"the owner's plug pulled: {took:.2f} s")

    assert took < SERVED
    assert all(echoes(each, b"after") for each in (inbound, outbound))
    assert ask(net, "client", PUBLIC, 80) == CLIENT
    assert ask(net, "node", STRANGER, 9000) == PUBLIC
    assert ask(net, "router-b", STRANGER, 9000) == PUBLIC
    assert own(net) == 0

"""What routers really do with visitors by IPv6: the same world, with both families on the way.

One world for all tests, in the order written: the last one pulls the plug of the owner.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from components.routers.linux import firewall
from tests.components import router_world, stacks
from tests.components.ipv6_world import (
    BALANCERS6,
    CLIENT6,
    GATEWAY6,
    PUBLIC6,
    ROUTERS,
    STRANGER6,
    add,
    serve,
)
from tests.components.router_world import (
    CLIENT,
    PUBLIC,
    ask,
    build,
    counted,
    echoes,
    hold,
    nft,
    processes,
    replicated,
    start_router,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]

DENIED6 = "2001:db8:c:bad::7"
MUCH = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
s.settimeout(5)
f = s.makefile("rwb")
f.readline()
f.write(b"x" * 300000 + b"\\n"); f.flush()
print(len(f.readline()))
"""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    stack = stacks.both_families()
    with World() as world:
        build(world)
        add(world)
        # Before the routers run: the balancer's own port 80 is of IPv4 alone.
        world.run("balancer", ["sh", "-c", "echo 1 > /proc/sys/net/ipv6/bindv6only"])
        serve(world, "balancer", 80)
        for name in ROUTERS:
            start_router(world, name, stack)
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 20)
        yield world


def owner(world: World, names: tuple[str, ...] = ROUTERS) -> str:
    """Who alone has every address of either family; what is wrong in other words."""
    held = {
        address: [name for name in names if f"inet6 {address}/" in world.ip(name, "addr", "show")]
        for address in (PUBLIC6, GATEWAY6)
    }
    first = router_world.owner(world, names)
    return first if all(each == [first] for each in held.values()) else f"{first} {held}"


def test_the_addresses_of_both_families_are_on_one_router(net: World) -> None:
    assert owner(net) == "router-a"


def test_a_visitor_reaches_the_balancers_with_its_own_address_by_either_family(net: World) -> None:
    before = counted(net, "cdn_http")

    assert ask(net, "client", PUBLIC6, 80) == CLIENT6
    assert ask(net, "client", PUBLIC, 80) == CLIENT
    assert counted(net, "cdn_http") == before + 2


def test_nobody_else_reaches_the_public_address(net: World) -> None:
    before = counted(net, "refused_public")

    assert ask(net, "stranger", PUBLIC6, 80) == "TimeoutError"
    assert counted(net, "refused_public") > before


def test_who_is_denied_gets_nothing_though_it_is_of_the_cdn(net: World) -> None:
    net.ip("client", "addr", "add", f"{DENIED6}/128", "dev", "eth0", "nodad")
    net.ip("isp", "-6", "route", "add", f"{DENIED6}/128", "dev", "eth1")
    before = counted(net, "denied")
    script = router_world.ASK.replace("1.5)", f'1.5, ("{DENIED6}", 0))')

    assert net.python("client", script, PUBLIC6, "80") == "TimeoutError"
    assert counted(net, "denied") > before
    net.ip("client", "addr", "del", f"{DENIED6}/128", "dev", "eth0")


@pytest.mark.parametrize("port", [22, 8443, 9006])
def test_not_even_the_cdn_reaches_another_port(net: World, port: int) -> None:
    assert ask(net, "client", PUBLIC6, port) == "TimeoutError"


@pytest.mark.parametrize(
    ("address", "port"),
    [("fd00:10::11", 8443), (BALANCERS6, 80), ("2001:db8:0:1::2", 9006), ("fd00:10::2", 9006)],
)
def test_neither_the_lan_nor_a_router_is_reachable_from_outside(
    net: World, address: str, port: int
) -> None:
    assert ask(net, "client", address, port) == "TimeoutError"


def test_a_source_from_inside_is_not_believed_on_the_wan(net: World) -> None:
    net.ip("client", "addr", "add", "fd00:10::77/128", "dev", "eth0", "nodad")
    before = counted(net, "spoofed")
    script = router_world.ASK.replace("1.5)", '1.5, ("fd00:10::77", 0))')

    assert net.python("client", script, PUBLIC6, "80") == "TimeoutError"
    assert counted(net, "spoofed") > before
    net.ip("client", "addr", "del", "fd00:10::77/128", "dev", "eth0")


def test_the_lan_is_told_at_once_that_it_leaves_by_ipv4_alone(net: World) -> None:
    before, began = counted(net, "outbound6"), time.monotonic()

    assert ask(net, "balancer", STRANGER6, 9006) == "PermissionError"
    assert time.monotonic() - began < 3  # no SYN was sent again for long
    assert counted(net, "outbound6") > before


def test_no_other_leg_speaks_ipv6(net: World) -> None:
    for name in ROUTERS:
        for interface, off in (("eth0", "1"), ("eth1", "0"), ("eth2", "0"), ("eth3", "1")):
            path = f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6"
            assert net.run(name, ["cat", path]).stdout.strip() == off, (name, interface)
        assert "inet6" not in net.ip(name, "-6", "addr", "show", "dev", "eth0")


def test_a_visitor_behind_a_smaller_packet_size_gets_a_large_answer(net: World) -> None:
    """The provider tells the balancers (packet too big, RFC 8201), through the router."""
    net.ip("isp", "link", "set", "eth1", "mtu", "1280")

    until(lambda: net.python("client", MUCH, PUBLIC6, "80") == "300001", "a large answer", 30)


def test_losing_one_leg_gives_up_all_addresses_and_they_come_back(net: World) -> None:
    net.ip("router-a", "link", "set", "eth2", "down")
    until(lambda: owner(net) == "router-b", "router-b owns all addresses", 5)
    assert ask(net, "client", PUBLIC6, 80) == CLIENT6

    net.ip("router-a", "link", "set", "eth2", "up")
    # An interface that is set down loses its IPv6 addresses; a cable that is pulled costs none.
    net.ip("router-a", "addr", "replace", "2001:db8:0:1::2/64", "dev", "eth2")
    net.ip("router-a", "-6", "route", "replace", "default", "via", "2001:db8:0:1::1")
    net.ip("router-a", "route", "replace", "default", "via", "203.0.113.1")
    until(lambda: owner(net) == "router-a", "router-a has all back after its delay", 15)
    assert ask(net, "client", PUBLIC6, 80) == CLIENT6
    assert ask(net, "client", PUBLIC, 80) == CLIENT


def test_a_router_without_its_rules_forwards_nothing_and_holds_no_address(net: World) -> None:
    assert forwards(net, "router-a")
    net.run("router-a", [*nft(), "flush", "ruleset"])
    until(lambda: not forwards(net, "router-a"), "router-a forwards nothing", 1)
    until(lambda: owner(net) == "router-b", "router-b owns all addresses", 3)
    assert ask(net, "client", PUBLIC6, 80) == CLIENT6

    (pid, *_) = processes(net, "router-a", "keepalived")
    rules = f"/proc/{pid}/root{firewall.RULES}"
    said = net.run("router-a", ["sh", "-c", f"{' '.join(nft())} -f - <{rules}"])
    assert (said.returncode, said.stderr) == (0, "")
    until(lambda: forwards(net, "router-a"), "router-a forwards again", 3)
    until(lambda: owner(net) == "router-a", "router-a has all back after its delay", 20)


def forwards(world: World, name: str) -> bool:
    said = world.run(name, ["cat", firewall.FORWARDING, firewall.FORWARDING6]).stdout
    return said == "1\n1\n"


def test_an_open_connection_survives_the_loss_of_the_owner(net: World) -> None:
    process = hold(net, "client", PUBLIC6, 80)
    assert echoes(process, b"before")
    until(lambda: replicated(net) >= 1, "router-b knows the connection")
    for interface in ("eth0", "eth1", "eth2", "eth3"):
        net.ip("router-a", "link", "set", interface, "down")
    lost = time.monotonic()
    until(lambda: owner(net, ("router-b",)) == "router-b", "router-b owns the addresses", 5)
    took = time.monotonic() - lost

    assert took < 2.0, f"the failover took {took:.2f} s"
    assert echoes(process, b"after")
    assert ask(net, "client", PUBLIC6, 80) == CLIENT6

"""What the rendered router really does: two routers, an internet, a LAN, all in namespaces.

One world for all tests, in the order written: the last ones pull the plug of the owner.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from components.routers.linux import firewall
from tests.components.router_world import (
    ASK,
    BALANCERS,
    CLIENT,
    GATEWAY,
    PUBLIC,
    STRANGER,
    ask,
    build,
    counted,
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
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        build(world)
        for name in ("router-a", "router-b"):
            start_router(world, name)
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 20)
        yield world


def test_exactly_one_router_owns_both_addresses(net: World) -> None:
    assert owner(net) == "router-a"


def test_a_request_from_the_cdn_reaches_the_balancers_with_its_own_address(net: World) -> None:
    before = counted(net, "cdn_http")

    assert ask(net, "client", PUBLIC, 80) == CLIENT
    assert counted(net, "cdn_http") == before + 1


def test_nobody_else_reaches_the_public_address(net: World) -> None:
    before = counted(net, "refused_public")

    assert ask(net, "stranger", PUBLIC, 80) == "TimeoutError"
    assert counted(net, "refused_public") > before


@pytest.mark.parametrize("port", [22, 8080, 9000])
def test_not_even_the_cdn_reaches_another_port(net: World, port: int) -> None:
    assert ask(net, "client", PUBLIC, port) == "TimeoutError"


@pytest.mark.parametrize(
    ("address", "port"),
    [("198.18.10.11", 80), (BALANCERS, 80), ("203.0.113.2", 22), ("203.0.113.3", 9000)],
)
def test_neither_the_lan_nor_a_router_is_reachable_from_outside(
    net: World, address: str, port: int
) -> None:
    assert ask(net, "client", address, port) == "TimeoutError"
    assert ask(net, "stranger", address, port) == "TimeoutError"


def test_a_node_reaches_the_public_address_through_the_router(net: World) -> None:
    before = counted(net, "hairpin_http")

    assert ask(net, "node", PUBLIC, 80) == GATEWAY
    assert ask(net, "balancer", PUBLIC, 80) == GATEWAY
    assert counted(net, "hairpin_http") == before + 2


def test_a_node_leaves_with_the_vip_and_a_router_with_its_own_address(net: World) -> None:
    assert ask(net, "node", STRANGER, 9000) == PUBLIC
    assert ask(net, "router-a", STRANGER, 9000) == "203.0.113.2"
    assert ask(net, "router-b", STRANGER, 9000) == "203.0.113.3"
    assert counted(net, "outbound_snat") >= 1


def test_a_source_from_inside_is_not_believed_on_the_wan(net: World) -> None:
    net.ip("client", "addr", "add", "198.18.10.77/32", "dev", "eth0")
    before = counted(net, "spoofed")
    script = ASK.replace("1.5)", '1.5, ("198.18.10.77", 0))')

    assert net.python("client", script, PUBLIC, "80") == "TimeoutError"
    assert counted(net, "spoofed") > before


def test_sshd_is_reachable_on_management_and_from_nowhere_else(net: World) -> None:
    assert ask(net, "runner", "198.18.0.11", 22) == "198.18.0.5"
    assert ask(net, "runner", "198.18.0.11", 9000) == "TimeoutError"
    for address in ("198.18.10.2", "198.18.0.11", GATEWAY):
        assert ask(net, "node", address, 22) == "TimeoutError"


def test_the_lan_does_not_reach_the_management_network(net: World) -> None:
    serve(net, "runner", 9000)

    assert ask(net, "node", "198.18.0.5", 9000) == "TimeoutError"


def test_ipv6_is_off_and_dropped_even_where_somebody_turns_it_on(net: World) -> None:
    script = "cat /proc/sys/net/ipv6/conf/eth1/disable_ipv6 /proc/sys/net/ipv6/conf/all/accept_ra"
    assert net.run("router-a", ["sh", "-c", script]).stdout.split() == ["1", "0"]
    net.run("router-a", ["sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/eth1/disable_ipv6"])
    net.ip("router-a", "addr", "add", "2001:db8::1/64", "dev", "eth1", "nodad")
    net.ip("node", "addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
    before = counted(net, "ipv6")

    assert ask(net, "node", "2001:db8::1", 9000) in {"TimeoutError", "OSError"}
    assert counted(net, "ipv6") > before


def test_segments_are_announced_no_larger_than_the_wan_carries(net: World) -> None:
    rules = net.run("router-a", [*nft(), "list", "chain", "inet", "layered", "forward"]).stdout

    assert rules.count("tcp option maxseg size set 1460") == 2


def test_a_reload_interrupts_nothing(net: World) -> None:
    before = {name: processes(net, name, "keepalived") for name in ("router-a", "router-b")}
    for pids in before.values():
        os.kill(min(pids), signal.SIGHUP)
    reloaded = time.monotonic()

    while time.monotonic() < reloaded + 4:
        assert owner(net) == "router-a"
        time.sleep(0.05)
    assert {name: processes(net, name, "keepalived") for name in before} == before
    for name in before:
        until(lambda name=name: "Reload complete" in net.log(name).read_text(), f"{name} is loaded")  # type: ignore[misc]


def test_losing_one_leg_gives_up_both_addresses_and_they_come_back(net: World) -> None:
    net.ip("router-a", "link", "set", "eth1", "down")
    until(lambda: owner(net) == "router-b", "router-b owns both addresses", 5)
    assert ask(net, "client", PUBLIC, 80) == CLIENT

    net.ip("router-a", "link", "set", "eth1", "up")
    until(lambda: owner(net) == "router-a", "router-a has both back after its delay", 15)
    assert ask(net, "client", PUBLIC, 80) == CLIENT


@pytest.mark.parametrize("how", ["flush ruleset", "flush table inet layered"])
def test_a_router_without_its_rules_forwards_nothing_and_holds_no_address(
    net: World, how: str
) -> None:
    assert forwards(net, "router-a")
    net.run("router-a", [*nft(), *how.split()])
    gone = time.monotonic()
    until(lambda: not forwards(net, "router-a"), "router-a forwards nothing", 1)
    until(lambda: owner(net) == "router-b", "router-b owns both addresses", 3)
    print(f"{how}: {time.monotonic() - gone:.2f} s")
    assert ask(net, "client", PUBLIC, 80) == CLIENT

    (pid, *_) = processes(net, "router-a", "keepalived")
    rules = f"/proc/{pid}/root{firewall.RULES}"
    said = net.run("router-a", ["sh", "-c", f"{' '.join(nft())} -f - <{rules}"])
    assert (said.returncode, said.stderr) == (0, "")
    until(lambda: forwards(net, "router-a"), "router-a forwards again", 3)
    until(lambda: owner(net) == "router-a", "router-a has both back after its delay", 20)


def forwards(world: World, name: str) -> bool:
    return world.run(name, ["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout == "1\n"


def test_open_connections_survive_the_loss_of_the_owner(net: World) -> None:
    inbound = hold(net, "client", PUBLIC, 80)
    outbound = hold(net, "node", STRANGER, 9000)
    hairpin = hold(net, "node", PUBLIC, 80)
    assert all(echoes(each, b"before") for each in (inbound, outbound, hairpin))
    until(lambda: replicated(net) >= 3, "router-b knows the three connections")

    for interface in ("eth0", "eth1", "eth2", "eth3"):
        net.ip("router-a", "link", "set", interface, "down")
    lost = time.monotonic()
    until(lambda: owner(net, ("router-b",)) == "router-b", "router-b owns the addresses", 5)
    took = time.monotonic() - lost

    assert took < 2.0, f"the failover took {took:.2f} s"
    assert all(echoes(each, b"after") for each in (inbound, outbound, hairpin))
    assert ask(net, "client", PUBLIC, 80) == CLIENT
    assert ask(net, "node", STRANGER, 9000) == PUBLIC

"""What the inside reaches through a router that lets out what is named: real nftables, in
namespaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.routers.linux import firewall
from settings.models import Stack
from tests.components import checked, rendered, stacks
from tests.components.router_world import (
    CLIENT,
    GATEWAY,
    PUBLIC,
    STRANGER,
    ask,
    build,
    counted,
    owner,
    serve,
    start_router,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
live = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")

SEND = """
import socket, struct, sys
IP_RECVERR, MSG_ERRQUEUE = 11, 0x2000
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    s.settimeout(3)
    s.connect((sys.argv[1], int(sys.argv[2])))
    s.send(b"asked")
    try:
        print(s.recv(100).decode())
    except TimeoutError:
        print("nothing")
    except OSError:
        _, told, _, _ = s.recvmsg(100, 200, MSG_ERRQUEUE)
        print("type %d, code %d" % struct.unpack("xxxxxBBx", told[0][2][:8]))
"""
"""Asks by UDP; prints the answer, or the ICMP error that came (ip(7), IP_RECVERR)."""

ANSWER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    _, peer = s.recvfrom(100)
    s.sendto(peer[0].encode(), peer)
"""

PING = """
import socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
    s.settimeout(3)
    head = struct.pack("!BBHHH", 8, 0, 0, 7, 1)
    words = struct.unpack("!4H", head)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    s.sendto(struct.pack("!BBHHH", 8, 0, ~total & 0xFFFF, 7, 1), (sys.argv[1], 0))
    try:
        print("type %d, code %d" % tuple(s.recv(100)[20:22]))
    except TimeoutError:
        print("nothing")
"""
PROHIBITED = "type 3, code 13"
"""Communication administratively prohibited (RFC 1812, section 5.2.7.1)."""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        build(world)
        for space in ("stranger", "client"):
            for port in (80, 5005):
                serve(world, space, port)
            for number in (53, 9999):
                process = world.start(space, ["python3", "-c", ANSWER, str(number)])
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
        for name in ("router-a", "router-b"):
            start_router(world, name, stacks.letting_out())
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 60)
        yield world


@live
@pytest.mark.root
@pytest.mark.parametrize(
    ("address", "port", "rule"),
    [(STRANGER, 80, "web"), (CLIENT, 80, "web"), (STRANGER, 5005, "office")],
)
def test_what_is_named_is_reached_with_the_vip_and_counted(
    net: World, address: str, port: int, rule: str
) -> None:
    before = counted(net, f"let_out_{rule}")

    assert ask(net, "node", address, port) == PUBLIC
    assert counted(net, f"let_out_{rule}") == before + 1


@live
@pytest.mark.root
@pytest.mark.parametrize(("address", "port"), [(STRANGER, 9000), (CLIENT, 5005)])
def test_another_port_or_destination_is_refused_at_once(
    net: World, address: str, port: int
) -> None:
    """Not by silence (TimeoutError): the kernel makes EHOSTUNREACH of it (icmp(7))."""
    before = counted(net, "refused_outbound")

    assert ask(net, "node", address, port) == "OSError"
    assert counted(net, "refused_outbound") > before


@live
@pytest.mark.root
def test_udp_is_let_out_by_port_or_by_destination_and_else_told_that_it_is_prohibited(
    net: World,
) -> None:
    assert net.python("node", SEND, STRANGER, "53") == PUBLIC
    assert net.python("node", SEND, CLIENT, "9999") == PUBLIC
    assert net.python("node", SEND, STRANGER, "9999") == PROHIBITED


@live
@pytest.mark.root
def test_a_ping_is_answered_where_icmp_is_named(net: World) -> None:
    assert net.python("node", PING, STRANGER) == "type 0, code 0"
    assert counted(net, "let_out_ping") >= 1


@live
@pytest.mark.root
def test_everything_else_is_as_without_it(net: World) -> None:
    """Answers to the CDN, the way from the LAN to the public address, routers' own packets."""
    refused = counted(net, "refused_outbound")

    assert ask(net, "client", PUBLIC, 80) == CLIENT
    assert ask(net, "node", PUBLIC, 80) == GATEWAY
    assert ask(net, "router-a", STRANGER, 9000) == "203.0.113.2"
    assert ask(net, "stranger", PUBLIC, 80) == "TimeoutError"
    assert counted(net, "refused_outbound") == refused


def forward(stack: Stack) -> list[str]:
    """The rules of the router's forward chain from the LAN to the WAN."""
    text = rendered.router_files(stack, "router-a")[firewall.RULES]
    chain = text.split("chain forward {")[1].split("\n    }")[0]
    return re.findall(r'iifname "eth1" oifname "eth2" ip saddr \S+ (.+)', chain)


def told(outbound: list[dict[str, Any]] | None, **more: object) -> Stack:
    config = stacks.lab_config()
    config["routers"] |= {"outbound": outbound, **more}
    return Stack.model_validate(config)


def test_null_lets_everything_out() -> None:
    assert forward(told(None)) == ["accept"]


def test_what_is_refused_is_logged_where_drops_are() -> None:
    rules = [{"name": "web", "ports": [443]}]
    refuse = "counter name refused_outbound reject with icmp type admin-prohibited"

    assert forward(told(rules))[1:] == [refuse]
    assert forward(told(rules, log_drops_per_minute=5))[1:] == ["jump logged", refuse]


EVERY_SHAPE: list[dict[str, Any]] = [
    {"name": "snat", "ports": [443, 443]},
    {"name": "all-tcp"},
    {"name": "everywhere", "protocol": "any", "to": ["0.0.0.0/0"]},
    {"name": "twice", "protocol": "udp", "ports": [1], "last": 9, "to": ["192.0.2.0/24"] * 2},
    {"name": "within", "protocol": "icmp", "to": ["192.0.2.0/24", "192.0.2.128/25"]},
]


@checked.real
@pytest.mark.parametrize("name", ["lab", "both-families", "bgp"])
def test_nft_takes_rules_of_every_shape_beside_everything_else(name: str) -> None:
    beside = stacks.NAMED[name]()
    routers = beside.routers.model_copy(update={"outbound": told(EVERY_SHAPE).routers.outbound})
    stack = beside.model_copy(update={"routers": routers})
    files = rendered.router_files(stack, "router-a")

    said = checked.judge(firewall.CHECK, files, rendered.router_whole(stack, "router-a"))

    assert (said.returncode, said.stdout + said.stderr) == (0, "")

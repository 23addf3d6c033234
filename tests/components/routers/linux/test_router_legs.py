"""A router's leg that is lost while its link stays up: two routers, real daemons, in namespaces.

One world for all tests, in the order written.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.components.router_world import CLIENT, GATEWAY, PUBLIC, ask, build, owner, start_router
from tests.components.router_world import owners as holders
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
ROUTERS = ("router-a", "router-b")
GAP = 1.5
"""Seconds: the longest that a cut-off leg may be felt."""

BEAT = """
import json, socket, sys, time
answered, end = [], None
while end is None or time.monotonic() < end:
    began = time.monotonic()
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.3) as s:
            if s.makefile().readline().strip():
                answered.append(began)
                if end is None:
                    end = began + float(sys.argv[3])
                    print("ready", flush=True)
    except OSError:
        pass
    time.sleep(max(0, began + 0.05 - time.monotonic()))
answered.append(end)
print(json.dumps(max(b - a for a, b in zip(answered, answered[1:]))), flush=True)
"""
"""Connects every 50 ms; prints the longest time between two that were answered."""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        build(world)
        for name in ROUTERS:
            start_router(world, name)
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 20)
        yield world


def beat(world: World, space: str, address: str, seconds: float) -> subprocess.Popen[bytes]:
    process = world.start(space, [sys.executable, "-c", BEAT, address, "80", str(seconds)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def longest(process: subprocess.Popen[bytes]) -> float:
    assert process.stdout is not None
    return float(json.loads(process.stdout.readline()))


def quiet(world: World, seconds: float) -> None:
    """Nothing moves: router-a owns both addresses throughout."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert owner(world) == "router-a"
        time.sleep(0.05)


def moves(world: World) -> int:
    """How often an instance has changed its state."""
    return sum(world.log(name).read_text().count(" STATE") for name in ROUTERS)


@pytest.mark.parametrize(("interface", "beaten"), [("eth2", "client"), ("eth1", "client")])
def test_a_leg_cut_behind_the_switch_moves_both_addresses_at_once(
    net: World, interface: str, beaten: str
) -> None:
    felt = beat(net, beaten, PUBLIC, 4)
    net.cut("router-a", interface)
    until(lambda: owner(net) == "router-b", "router-b alone owns both addresses", 3)
    gap = longest(felt)
    print(f"{interface} of the owner cut: {gap:.2f} s")

    assert "state UP" in net.ip("router-a", "link", "show", interface)
    assert gap < GAP
    assert ask(net, "client", PUBLIC, 80) == CLIENT

    net.mend("router-a", interface)
    back = time.monotonic()
    until(lambda: owner(net) == "router-a", "router-a has them back", 20)
    assert time.monotonic() - back > 5  # the leg has held for a while


def test_a_gateway_that_both_lose_moves_nothing_neither_when_it_goes_nor_when_it_comes(
    net: World,
) -> None:
    before = moves(net)
    net.cut("isp", "eth0")
    quiet(net, 4)
    net.mend("isp", "eth0")
    quiet(net, 8)

    assert moves(net) == before
    assert ask(net, "client", PUBLIC, 80) == CLIENT


def test_neighbours_that_both_lose_move_nothing(net: World) -> None:
    before = moves(net)
    net.cut("balancer", "eth0")
    quiet(net, 3)
    net.mend("balancer", "eth0")
    quiet(net, 7)

    assert moves(net) == before


def test_a_router_cut_off_from_everybody_holds_nothing(net: World) -> None:
    for interface in ("eth0", "eth1", "eth2", "eth3"):
        net.cut("router-a", interface)
    until(lambda: owner(net) == "router-b", "router-b alone owns both addresses", 3)
    for interface in ("eth0", "eth1", "eth2", "eth3"):
        net.mend("router-a", interface)
    until(lambda: owner(net) == "router-a", "router-a has them back", 20)


def test_a_backup_that_loses_a_leg_says_so_and_moves_nothing(net: World) -> None:
    net.cut("router-b", "eth2")
    quiet(net, 3)
    assert "router-b" not in holders(net, PUBLIC, ROUTERS) + holders(net, GATEWAY, ROUTERS)
    net.cut("router-a", "eth2")
    quiet(net, 3)
    net.mend("router-a", "eth2")
    net.mend("router-b", "eth2")
    quiet(net, 7)

"""A balancer whose connections are taken by slow clients: a real pair, with little room.

100 connections, of which 50 are the service's and 20 the API's; 10 for one client.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

import pytest

from components.loadbalancers import keepalived
from tests.components import certificates
from tests.components.balancer_client import ask
from tests.components.balancer_world import (
    MANAGEMENT,
    VIP,
    api,
    balancer_files,
    build,
    counted,
    get,
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

SLOW = """
import socket, sys, time
address, port, most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held = []
print("ready", flush=True)
while True:
    for client in list(held):
        try:
            client.send(b"a")
        except BlockingIOError:
            pass
        except OSError:
            held.remove(client)
            client.close()
    while len(held) < most:
        client = socket.socket()
        client.settimeout(0.2)
        try:
            client.connect((address, port))
            client.send(b"GET / HTTP/1.1\\r\\nX-Slow: ")
            client.setblocking(False)
        except OSError:
            client.close()
            break
        held.append(client)
    time.sleep(0.5)
"""
"""Clients whose requests never end; one that is cut off comes again."""

HOLD = """
import http.client, json, sys, threading
statuses = []
def one():
    connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=15)
    connection.request("GET", "/hold", headers={"CF-Connecting-IP": "192.0.2.7"})
    statuses.append(connection.getresponse().status)
threads = [threading.Thread(target=one) for _ in range(int(sys.argv[2]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(sorted(statuses)))
"""
"""Requests at one time, of one client, carried by the CDN; each is answered after two seconds."""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        site = certificates.self_signed("echo.lab.test")
        build(world, site)
        stack = stack_of(
            max_connections=100,
            timeouts={"http_request": 3},
            vrrp={"preempt_delay": 2, "startup_delay": 1},
        )
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, balancer_files(stack, name, site))
        until(lambda: owner(world) == "lb-a", "lb-a owns the addresses", 30)
        until(lambda: get(world, "cdn")[0].get("status") == 200, "the nodes are up", 20)
        until(lambda: api(world, VIP).get("status") == 200, "the API is up", 20)
        yield world


def taken(world: World) -> int:
    """Connections of the service now."""
    return int(counted(world, "service", "FRONTEND")["scur"])


def test_slow_clients_take_neither_the_api_nor_the_addresses(net: World) -> None:
    slow = net.start("cdn", [sys.executable, "-c", SLOW, VIP, "80", "150"])
    until(lambda: taken(net) == 50, "the room of the service is full", 30)

    began = time.monotonic()
    while time.monotonic() - began < 8:
        assert owner(net) == "lb-a"
        assert (api(net, VIP).get("status"), api(net, MANAGEMENT).get("status")) == (200, 200)
        assert within(net, "lb-a", keepalived.ALIVE).returncode == 0
        assert taken(net) <= 50

    net.stop(slow)
    until(lambda: get(net, "cdn")[0].get("status") == 200, "requests are answered again", 20)


def test_who_comes_to_a_full_room_waits_for_a_place_and_is_answered(net: World) -> None:
    """Behind 30 others in the kernel's queue, each of whom is cut off in its turn."""
    slow = net.start("cdn", [sys.executable, "-c", SLOW, VIP, "80", "80"])
    for _ in range(3):
        until(lambda: taken(net) == 50, "the room of the service is full", 30)
        began = time.monotonic()
        (answer,) = ask(net, "stranger")
        print(f"answered with {answer['status']} after {time.monotonic() - began:.2f} s")
        assert answer["status"] == 200, answer
    net.stop(slow)


def test_one_client_takes_a_tenth_of_the_connections(net: World) -> None:
    slow = net.start("stranger", [sys.executable, "-c", SLOW, VIP, "80", "60"])
    until(lambda: taken(net) >= 10, "the client has what it may", 30)

    began = time.monotonic()
    while time.monotonic() - began < 5:
        assert get(net, "cdn")[0].get("status") == 200
        assert taken(net) <= 12  # this question's and one that is being closed
    net.stop(slow)


def test_a_client_that_the_cdn_names_is_told_when_it_asks_too_much_at_a_time(net: World) -> None:
    asked = net.start("cdn", [sys.executable, "-c", HOLD, VIP, "12"])
    until(lambda: taken(net) >= 10, "the client's requests are held", 20)

    other = get(net, "cdn", {"CF-Connecting-IP": "192.0.2.8"})[0]
    out, _ = asked.communicate(timeout=30)

    assert other["status"] == 200
    assert json.loads(out) == [200] * 10 + [429] * 2

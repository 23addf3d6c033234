"""What a router lets in beside the CDN, and what it lets nobody in: real nftables, in namespaces.

One world for all tests, in the order written.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from settings.models import Stack
from tests.components import stacks
from tests.components.router_world import (
    CLIENT,
    PUBLIC,
    STRANGER,
    ask,
    build,
    nft,
    owner,
    serve,
    start_router,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
DENIED = "192.0.2.67"

MANY = """
import selectors, socket, sys, time
waiting, count = selectors.DefaultSelector(), 0
for _ in range(30):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((sys.argv[1], int(sys.argv[2])))
    waiting.register(s, selectors.EVENT_WRITE)
end = time.monotonic() + 0.8
while (left := end - time.monotonic()) > 0:
    for key, _ in waiting.select(left):
        waiting.unregister(key.fileobj)
        count += key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
print(count)
"""
"""Opens thirty connections at once; prints how many stood before a second try of the kernel's."""


def stack() -> Stack:
    config = stacks.lab_config()
    config["routers"] |= {
        "deny": [f"{DENIED}/32"],
        "log_drops_per_minute": 30,
        "forwards": [
            {"name": "one", "port": 2222, "to": "198.18.10.31", "to_port": 8080},
            {"name": "range", "port": 9100, "last": 9109, "to": "198.18.10.31"},
            {
                **{"name": "office", "port": 2223, "to": "198.18.10.31", "to_port": 8080},
                "sources": ["198.51.100.0/24"],
            },
            {
                **{"name": "slow", "port": 2224, "to": "198.18.10.31", "to_port": 8081},
                "per_source": 5,
            },
        ],
    }
    return Stack.model_validate(config)


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        build(world)
        world.space("denied")
        world.plug("denied", "eth0", "other", f"{DENIED}/24")
        world.ip("denied", "route", "add", "default", "via", "192.0.2.1")
        for port in (8080, 8081, 9105):
            serve(world, "node", port)
        for name in ("router-a", "router-b"):
            start_router(world, name, stack())
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 60)
        yield world


def test_a_port_and_a_range_lead_inside_and_the_clients_address_survives(net: World) -> None:
    for space, address in (("stranger", STRANGER), ("client", CLIENT)):
        assert ask(net, space, PUBLIC, 2222) == address
        assert ask(net, space, PUBLIC, 9105) == address


def test_the_lan_reaches_them_by_the_public_address_too(net: World) -> None:
    assert ask(net, "balancer", PUBLIC, 2222) == "198.18.10.1"


def test_only_the_named_sources_are_let_in(net: World) -> None:
    assert ask(net, "client", PUBLIC, 2223) == CLIENT
    assert ask(net, "stranger", PUBLIC, 2223) == "TimeoutError"


def test_nothing_else_is_let_in(net: World) -> None:
    assert ask(net, "stranger", PUBLIC, 8080) == "TimeoutError"
    assert ask(net, "stranger", PUBLIC, 80) == "TimeoutError"


def test_who_is_denied_gets_nothing_at_all(net: World) -> None:
    assert ask(net, "denied", PUBLIC, 2222) == "TimeoutError"
    assert "packets 0" not in counter(net, "denied")


def test_beyond_its_rate_a_source_gets_no_new_connection(net: World) -> None:
    stood = int(net.python("stranger", MANY, PUBLIC, "2224"))

    assert 5 <= stood < 15
    assert "packets 0" not in counter(net, "limited_slow")
    assert ask(net, "client", PUBLIC, 2224) == CLIENT


def test_without_the_chain_that_logs_everything_is_still_refused(net: World) -> None:
    done = net.run("router-a", [*nft(), "flush", "chain", "inet", "layered", "logged"])
    assert done.returncode == 0, done.stderr

    assert ask(net, "denied", PUBLIC, 2222) == "TimeoutError"
    assert ask(net, "stranger", PUBLIC, 8080) == "TimeoutError"


def counter(world: World, name: str) -> str:
    return world.run("router-a", [*nft(), "list", "counter", "inet", "layered", name]).stdout

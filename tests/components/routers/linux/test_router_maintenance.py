"""A router in maintenance: a real pair under a stream of new connections, and BGP's word for it.

One world for all tests, in the order written.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components.routers.linux import bird, frr
from tests.components import rendered, stacks
from tests.components.pair_push import in_maintenance, moved, push, stays, stream
from tests.components.router_world import (
    CLIENT,
    PUBLIC,
    build,
    echoes,
    hold,
    owner,
    replicated,
    start_router,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
REAL = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
SOON = 2.0
"""Seconds after the push within which a machine takes nothing new."""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        build(world)
        for name in ("router-a", "router-b"):
            start_router(world, name, in_maintenance())
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 40)
        stays(world, "router-a", 8, owner)  # what its peer's keepalived and checks may take
        yield world


@pytest.mark.root
@REAL
def test_a_router_in_maintenance_leaves_its_addresses_and_connections_go_on(net: World) -> None:
    held = hold(net, "client", PUBLIC, 80)
    assert echoes(held, b"before")
    until(lambda: replicated(net) > 0, "the peer knows the connection")
    sent = stream(net, "client", PUBLIC, 80, CLIENT)
    took = moved(net, "router-b", owner, pushed(net, "router-a"), 10)
    stays(net, "router-b", 2, owner)
    failed, count, longest, said = sent.end()
    print(
        f"VIPs moved {took:.2f} s after the push; {failed} of {count} failed, gap {longest:.2f} s"
    )

    assert took < SOON
    assert failed == 0, said
    assert echoes(held, b"after")


@pytest.mark.root
@REAL
def test_it_has_them_back_when_its_name_is_taken_out(net: World) -> None:
    sent = stream(net, "client", PUBLIC, 80, CLIENT)
    moved(net, "router-a", owner, pushed(net), 40)
    failed, _, _, said = sent.end()

    assert failed == 0, said


def pushed(world: World, *maintained: str) -> float:
    """What router-a is told: who is in maintenance."""
    files = rendered.router_files(in_maintenance(*maintained), "router-a")
    return push(world, "router-a", files)


@pytest.mark.parametrize(("stack", "said"), [("bgp", frr.CONFIG), ("bird", bird.CONFIG)])
def test_neighbours_are_asked_to_prefer_other_ways(stack: str, said: str) -> None:
    made = stacks.NAMED[stack]()
    word = "bgp graceful-shutdown" if stack == "bgp" else "DRAINED = true"
    for names in ([], ["router-a"]):
        maintenance = made.maintenance.model_copy(update={"machines": names})
        told = made.model_copy(update={"maintenance": maintenance})
        assert (word in rendered.router_files(told, "router-a")[said]) == bool(names)

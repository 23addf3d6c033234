"""A real router of a stack without a CDN lets everybody in to the service, and to nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.components import stacks
from tests.components.router_world import CLIENT, PUBLIC, STRANGER, ask, build, owner, start_router
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
        start_router(world, "router-a", stacks.straight())
        until(lambda: owner(world, ("router-a",)) == "router-a", "router-a owns the addresses", 30)
        yield world


@pytest.mark.parametrize(("space", "address"), [("client", CLIENT), ("stranger", STRANGER)])
def test_anybody_reaches_the_service_under_its_own_address(
    net: World, space: str, address: str
) -> None:
    assert ask(net, space, PUBLIC, 80) == address


@pytest.mark.parametrize(
    ("address", "port"), [(PUBLIC, 22), (PUBLIC, 8080), ("198.18.10.11", 80), ("203.0.113.2", 22)]
)
def test_nobody_reaches_anything_else(net: World, address: str, port: int) -> None:
    assert ask(net, "stranger", address, port) == "TimeoutError"

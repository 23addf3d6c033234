"""A real balancer that stands in the internet without a CDN: a client is whoever connects."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy
from tests.components import balancer_world, certificates, rendered, stacks
from tests.components.balancer_world import CDN, STRANGER, build, get, start_balancer
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    straight = rendered.balancer_files(stacks.straight(), "lb-a")
    files = balancer_world.balancer_files(balancer_world.stack_of(), "lb-a", site)
    changed = {path: straight[path] for path in (haproxy.ROUTES, haproxy.CDN)}
    with World() as world:
        build(world, site)
        start_balancer(world, "lb-a", files | changed)
        until(lambda: get(world, "stranger", tls=True)[0].get("status") == 200, "HTTPS", 30)
        yield world


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(("space", "address"), [("stranger", STRANGER), ("cdn", CDN)])
def test_a_client_is_whoever_connects_and_nobodys_word_about_it_passes(
    net: World, space: str, address: str, tls: bool
) -> None:
    names = ("CF-Connecting-IP", "CF-Connecting-IPv6", "True-Client-IP", "X-Forwarded-For")
    (seen,) = get(net, space, dict.fromkeys(names, "192.0.2.7"), tls=tls)

    assert (seen["status"], seen["client"]) == (200, address)
    assert seen["headers"]["x-forwarded-for"] == address
    assert "192.0.2.7" not in json.dumps(seen)

"""A real balancer behind Fastly: its header is believed from its ranges, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy
from settings.models import Stack
from tests.components import balancer_world, certificates, rendered, stacks
from tests.components.balancer_world import CDN, STRANGER, build, get, start_balancer
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
CLIENT = "192.0.2.7"


def fastly() -> Stack:
    config = stacks.lab_config()
    config["cdn"] = {
        **{"kind": "fastly", "range_list": ["198.51.100.0/24"]},
        "client_ip_header": "Fastly-Client-IP",
    }
    return Stack.model_validate(config)


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    ours = rendered.balancer_files(fastly(), "lb-a")
    files = balancer_world.balancer_files(balancer_world.stack_of(), "lb-a", site)
    changed = {path: ours[path] for path in (haproxy.ROUTES, haproxy.CDN)}
    with World() as world:
        build(world, site)
        start_balancer(world, "lb-a", files | changed)
        until(lambda: get(world, "cdn", tls=True)[0].get("status") == 200, "HTTPS", 30)
        yield world


@pytest.mark.parametrize("tls", [False, True])
def test_fastly_names_the_client(net: World, tls: bool) -> None:
    (seen,) = get(net, "cdn", {"Fastly-Client-IP": CLIENT}, tls=tls)

    assert (seen["status"], seen["client"]) == (200, CLIENT)
    assert seen["headers"]["x-forwarded-for"] == CLIENT


def test_another_cdns_header_names_nobody(net: World) -> None:
    names = ("CF-Connecting-IP", "True-Client-IP", "X-Forwarded-For")
    (seen,) = get(net, "cdn", dict.fromkeys(names, CLIENT))

    assert seen["client"] == CDN
    assert seen["headers"]["x-forwarded-for"] == CDN


def test_nobody_else_names_a_client_by_fastlys_header(net: World) -> None:
    (seen,) = get(net, "stranger", {"Fastly-Client-IP": CLIENT})

    assert seen["client"] == STRANGER
    assert CLIENT not in json.dumps(seen)

"""Routes as a real pair takes them: which requests go where, and who stays where it was.

One world for all tests, in the order written: the last one moves the addresses.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from components.loadbalancers.model import TABLES_PORT
from tests.components import certificates
from tests.components.balancer_client import ask, request, service
from tests.components.balancer_world import (
    balancer_files,
    build,
    inside,
    owner,
    remembered,
    stack_of,
    start_balancer,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
NODES = ("cp-1", "worker-1", "worker-2")
SHOP, GRID = 30301, 30302
ROUTES: list[dict[str, Any]] = [
    {
        **{"name": "shop", "hosts": ["shop.lab.test", "*.shop.lab.test"]},
        **{"paths": ["/cart"], "prefixes": ["/api"], "node_port": SHOP, "health_path": "/"},
    },
    {
        **{"name": "grid", "headers": {"X-Tier": "gold, or $HOME"}, "methods": ["GET", "DELETE"]},
        **{"node_port": GRID, "tls": True},
    },
    {"name": "pictures", "prefixes": ["/pictures"], "balance": "uri"},
    {"name": "mine", "paths": ["/mine"], "balance": "source"},
    {"name": "kept", "paths": ["/kept"], "sticky": "source"},
    {"name": "cookie", "paths": ["/cookie"], "sticky": "cookie"},
]


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        site = certificates.self_signed("lab.test")
        nodes = build(world, site)
        world.nodes = nodes  # type: ignore[attr-defined]
        path = str(world.file("service.pem", site))
        for node in NODES:
            service(world, node, "shop", SHOP)
            service(world, node, "grid", GRID, path)
        names = ["lab.test", "*.lab.test", "*.shop.lab.test"]
        stack = stack_of(
            routes=ROUTES,
            vrrp={"advert_interval": 1},
            certificate={"source": "self-signed", "names": names},
        )
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, balancer_files(stack, name, site))
        until(lambda: owner(world) == "lb-a", "lb-a owns the addresses", 60)
        everywhere = [request(tls=tls, X_Tier=tier) for tls in (0, 1) for tier in ("", _GOLD)]
        until(
            lambda: {each["status"] for each in ask(world, "cdn", *everywhere)} == {200},
            "every service is up",
            60,
        )
        yield world


_GOLD = "gold, or $HOME"
_SHOP = "shop.lab.test"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("asked", "service"),
    [
        ({"path": "/cart", "Host": _SHOP}, "shop"),
        ({"path": "/cart?x=/..", "Host": "SHOP.lab.test:8443"}, "shop"),
        ({"path": "/c%61rt", "Host": f"{_SHOP}."}, "shop"),
        ({"path": "//cart", "Host": _SHOP}, "shop"),
        ({"path": "/api", "Host": "a.shop.lab.test"}, "shop"),
        ({"path": "/api/x", "Host": _SHOP, "method": "POST"}, "shop"),
        ({"path": "/apis", "Host": _SHOP}, None),
        ({"path": "/cart/x", "Host": _SHOP}, None),
        ({"path": "/cart", "Host": "a.b.shop.lab.test"}, None),
        ({"path": "/cart", "Host": "shopxlab.test"}, None),
        ({"path": "/cart", "Host": "lab.test"}, None),
        ({"X_Tier": _GOLD}, "grid"),
        ({"X_Tier": _GOLD, "method": "DELETE"}, "grid"),
        ({"X_Tier": _GOLD, "method": "POST"}, None),
        ({"X_Tier": "gold"}, None),
        ({"path": "/cart", "Host": _SHOP, "X_Tier": _GOLD}, "shop"),
    ],
)
def test_a_request_takes_the_first_route_whose_conditions_all_fit(
    net: World, asked: dict[str, Any], service: str | None, tls: bool
) -> None:
    (seen,) = ask(net, "cdn", request(tls=tls, **asked))

    assert (seen["status"], seen.get("service")) == (200, service)


def test_a_service_beside_the_ingress_is_told_who_the_client_is(net: World) -> None:
    asked = request("/cart", Host=_SHOP, CF_Connecting_IP="192.0.2.7", X_Forwarded_For="192.0.2.9")
    (seen,) = ask(net, "cdn", asked)

    assert seen["headers"]["x-forwarded-for"] == "192.0.2.7"


@pytest.mark.parametrize(
    "path", ["/api/../admin", "/api/%2e%2e/admin", "/pictures/..", "/.%2E/x", "/%2e/x", "/x/..;/.."]
)
def test_a_path_that_climbs_is_refused(net: World, path: str) -> None:
    assert [each["status"] for each in ask(net, "cdn", request(path))] == [400]


def nodes(world: World, *asked: dict[str, Any]) -> list[str]:
    answers = ask(world, "cdn", *asked)
    assert [each for each in answers if each["status"] != 200] == []
    return [each["node"] for each in answers]


def again(world: World, *asked: dict[str, Any]) -> list[str]:
    """The same asked backwards, so that taking the nodes in turn does not give the same."""
    return nodes(world, *reversed(asked))[::-1]


def test_requests_without_a_way_of_their_own_go_to_every_node(net: World) -> None:
    assert set(nodes(net, *[request()] * 6)) == {*NODES}


def test_a_path_is_always_asked_of_one_node_and_paths_of_all(net: World) -> None:
    paths = [f"/pictures/{index}" for index in range(30)]
    first = nodes(net, *(request(path) for path in paths))

    assert set(first) == {*NODES}
    assert again(net, *(request(path) for path in paths)) == first


@pytest.mark.parametrize("path", ["/mine", "/kept"])
def test_a_client_that_the_cdn_names_stays_on_its_node(net: World, path: str) -> None:
    clients = [f"192.0.2.{last}" for last in range(100, 130)]
    asked = [request(path, CF_Connecting_IP=client) for client in clients]
    first = nodes(net, *asked)

    assert set(first) == {*NODES}
    assert again(net, *asked) == first


def test_a_cookie_keeps_a_client_on_a_node_and_nobody_behind_sees_it(net: World) -> None:
    (first,) = ask(net, "cdn", request("/cookie", tls=True))
    given = first["answered"]["set-cookie"]
    kept = request("/cookie", tls=True, Cookie=given.partition(";")[0] + "; mine=1")
    seen = ask(net, "cdn", *[kept] * 6)

    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= {each.strip() for each in given.split(";")}
    assert first["node"] not in given
    assert {each["node"] for each in seen} == {first["node"]}
    assert {each["headers"]["cookie"].strip() for each in seen} == {"mine=1"}


def test_a_client_whose_node_is_gone_is_served_by_another(net: World) -> None:
    (first,) = ask(net, "cdn", request("/cookie"))
    cookie = first["answered"]["set-cookie"].partition(";")[0]
    process = net.nodes[first["node"]]  # type: ignore[attr-defined]
    tell(process, 503)

    (seen,) = ask(net, "cdn", request("/cookie", Cookie=cookie))
    assert seen["status"] == 200
    assert seen["node"] != first["node"]
    tell(process, 200)
    until(lambda: {*nodes(net, *[request()] * 6)} == {*NODES}, "the node serves again", 30)


def tell(process: Any, status: int) -> None:
    process.stdin.write(f"{status}\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"set\n"


_HELLO = f"""
import socket
try:
    client = socket.create_connection(("198.18.10.11", {TABLES_PORT}), timeout=5)
    client.sendall(b"HAProxyS 2.1\\nlb-a\\nlb-b 1 1\\n")
    print(client.recv(100)[:3].decode() or "closed")
except ConnectionError:
    print("closed")
"""
"""HAProxy's peers protocol 2.1: who is called, and who calls; 200 when it is believed."""


def test_only_the_peer_writes_into_the_tables(net: World) -> None:
    assert net.python("worker-1", _HELLO) == "closed"
    assert net.python("lb-b", _HELLO) == "200"


def test_clients_stay_where_they_were_when_the_addresses_move(net: World) -> None:
    clients = [f"192.0.2.{last}" for last in range(150, 180)]
    asked = [request("/kept", CF_Connecting_IP=client) for client in clients]
    first = nodes(net, *asked)
    until(
        lambda: remembered(net, "lb-b", "route_kept_http") >= {*clients},
        "lb-b has learned them",
        30,
    )
    os.kill(inside(net, "lb-a", "keepalived"), signal.SIGTERM)
    until(lambda: owner(net) == "lb-b", "lb-b owns the addresses", 30)

    assert again(net, *asked) == first

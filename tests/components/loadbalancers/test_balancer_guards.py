"""What a real pair lets through, from whom and how often, and what it adds to answers.

One world for all tests, in the order written: the last one moves the addresses.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.components import certificates
from tests.components.balancer_client import ask, request
from tests.components.balancer_world import (
    STRANGER,
    VIP,
    balancer_files,
    build,
    counted,
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
REQUESTS = 20
GUARDS: dict[str, Any] = {
    "vrrp": {"advert_interval": 1},
    "rate_per_client": {"requests": REQUESTS, "seconds": 600},
    "sources": {
        "allow": ["192.0.2.0/24", "198.51.100.0/24"],
        "deny": ["192.0.2.13/32", f"{STRANGER}/32"],
    },
    "filter": {
        "methods": ["GET", "POST"],
        "denied_paths": ["/.git", "/admin"],
        "denied_agents": ["BadBot/"],
        "max_body": 1,
    },
    "answers": {
        "hsts": {"seconds": 1000, "subdomains": True},
        "set": {"Content-Security-Policy": "default-src 'self'; $HOME 100%"},
        "remove": ["X-Node"],
    },
    "ingress": {"max_connections_per_node": 1},
    "timeouts": {"queue": 10},
}

_CLIENTS = iter(range(20, 250))


def client() -> str:
    """The address of one that has not asked yet."""
    return f"192.0.2.{next(_CLIENTS)}"


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        site = certificates.self_signed("echo.lab.test")
        build(world, site)
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, balancer_files(stack_of(**GUARDS), name, site))
        until(lambda: owner(world) == "lb-a", "lb-a owns the addresses", 60)
        for tls in (False, True):
            until(lambda tls=tls: status(world, tls=tls) == 200, "the nodes are up", 60)  # type: ignore[misc]
        yield world


def status(world: World, path: str = "/", **said: Any) -> int:
    """What one request of a new client is answered with."""
    who = said.pop("CF_Connecting_IP", None) or client()
    return int(ask(world, "cdn", request(path, CF_Connecting_IP=who, **said))[0]["status"])


def test_a_visitor_is_let_in_by_the_address_that_the_cdn_names(net: World) -> None:
    assert status(net, CF_Connecting_IP="192.0.2.12") == 200
    assert status(net, CF_Connecting_IP="192.0.2.13") == 403
    assert status(net, CF_Connecting_IP="203.0.113.9") == 403
    assert status(net, CF_Connecting_IP="2001:db8::9") == 403


def test_a_stranger_is_told_by_its_own_address_whatever_it_says(net: World) -> None:
    (seen,) = ask(net, "stranger", request(CF_Connecting_IP="192.0.2.12"))

    assert seen["status"] == 403


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"method": "DELETE"}, 405),
        ({"method": "TRACE"}, 501),
        ({"method": "PUT"}, 405),
        ({"method": "POST"}, 411),
        ({"method": "POST", "Content_Length": "0"}, 200),
        ({"path": "/.git/config"}, 403),
        ({"path": "/%2Egit/config"}, 403),
        ({"path": "//.GIT"}, 403),
        ({"path": "/ADMIN/x?y"}, 403),
        ({"path": "/x/../admin"}, 400),
        ({"path": "/administrator"}, 200),
        ({"User_Agent": "Mozilla/5.0 badbot/2.1"}, 403),
        ({"User_Agent": "Mozilla/5.0"}, 200),
        ({"method": "POST", "Content_Length": "1024", "body": "x" * 1024}, 200),
        ({"method": "POST", "Content_Length": "1025", "body": "x" * 1025}, 413),
        ({"method": "POST", "Content_Length": "99999999999"}, 413),
        ({"method": "POST", "Transfer_Encoding": "chunked", "body": "1\r\nx\r\n0\r\n\r\n"}, 411),
    ],
)
def test_what_is_not_passed_on_is_told_why(
    net: World, asked: dict[str, Any], expected: int
) -> None:
    assert status(net, **asked) == expected


def test_over_http2_a_body_of_unknown_length_is_refused_too(net: World) -> None:
    curl = ["curl", "-sk", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"]
    named = ["-H", f"CF-Connecting-IP: {client()}", f"https://{VIP}/"]
    sent = [*curl, *named, "-X", "POST"]
    piped = ["sh", "-c", 'echo x | "$@" -T -', "sh", *sent]
    seen: list[str] = []

    def refused() -> bool:
        seen.append(net.run("cdn", piped).stdout)
        return seen[-1] == "2 411"

    # The stream may be reset under a body still on its way, before curl has read the answer.
    until(refused, "the body is refused by 411")

    assert "2 200" not in seen
    assert net.run("cdn", [*sent, "-d", "x"]).stdout == "2 200"


def test_the_methods_that_are_taken_are_named(net: World) -> None:
    asked = request(method="PUT", CF_Connecting_IP=client())
    assert ask(net, "cdn", asked)[0]["answered"]["allow"] == "GET, POST"


@pytest.mark.parametrize("path", ["/", "/admin"])
def test_every_answer_has_the_fields_of_the_stack_its_own_included(net: World, path: str) -> None:
    asked = [request(path, tls=tls, CF_Connecting_IP=client()) for tls in (False, True)]
    plain, secure = (each["answered"] for each in ask(net, "cdn", *asked))

    assert plain["content-security-policy"] == "default-src 'self'; $HOME 100%"
    assert "strict-transport-security" not in plain
    assert secure["strict-transport-security"] == "max-age=1000; includeSubDomains"


HOLD = """
import http.client, json, sys, threading
statuses = []
def one(who):
    connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=20)
    connection.request("GET", "/hold", headers={"CF-Connecting-IP": who})
    statuses.append(connection.getresponse().status)
threads = [threading.Thread(target=one, args=(who,)) for who in sys.argv[2:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(statuses))
"""
"""Requests at one time, each of a client of its own; each is answered after two seconds."""


def test_a_node_has_no_more_connections_than_it_may_and_the_rest_waits(net: World) -> None:
    done = net.run("cdn", [sys.executable, "-c", HOLD, VIP, *[client() for _ in range(9)]], 60)
    nodes = ("cp-1", "worker-1", "worker-2")
    most = {node: int(counted(net, "ingress_http", node)["smax"]) for node in nodes}

    assert (json.loads(done.stdout), done.stderr) == ([200] * 9, "")
    assert most == dict.fromkeys(nodes, 1)
    assert int(counted(net, "ingress_http", "BACKEND")["qmax"]) >= 3


def test_who_asks_too_often_is_told_so_and_nobody_else_also_when_the_addresses_move(
    net: World,
) -> None:
    eager, other = client(), client()
    asked = [request(CF_Connecting_IP=eager)] * (REQUESTS + 2)
    answers = ask(net, "cdn", *asked)

    assert [each["status"] for each in answers] == [200] * REQUESTS + [429] * 2
    assert answers[-1]["answered"]["retry-after"] == "600"
    assert status(net, CF_Connecting_IP=other) == 200

    until(lambda: eager in remembered(net, "lb-b", "rates"), "lb-b has learned of it", 30)
    os.kill(inside(net, "lb-a", "keepalived"), signal.SIGTERM)
    until(lambda: owner(net) == "lb-b", "lb-b owns the addresses", 30)
    assert status(net, CF_Connecting_IP=eager) == 429
    assert status(net, CF_Connecting_IP=other) == 200

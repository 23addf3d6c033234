"""The page that a real balancer shows for hosts that are closed, and where no server is up.

One world for all tests, in the order written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy
from tests.components import certificates
from tests.components.balancer_world import (
    MANAGEMENT,
    VIP,
    api,
    balancer_files,
    build,
    get,
    lay,
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
HTML = "<!doctype html><title>Bald zurück</title>\n"
PAGE = {"html": HTML, "retry_after": 600, "hosts": ["closed.lab.test", "*.shop.lab.test"]}
SHOWN = [503, "text/html; charset=utf-8", "600", "no-store", HTML]
ASK = """
import http.client, json, sys
connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=8)
connection.request(sys.argv[2], sys.argv[4], headers={"Host": sys.argv[3]})
answer = connection.getresponse()
fields = [answer.getheader(name) for name in ("Content-Type", "Retry-After", "Cache-Control")]
print(json.dumps([answer.status, *fields, answer.read().decode()]))
"""


def ask(world: World, host: str, path: str = "/", method: str = "GET") -> list[object]:
    """Status, three header fields and body of what a visitor is answered."""
    said: list[object] = json.loads(world.python("cdn", ASK, VIP, method, host, path))
    return said


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    with World() as world:
        world.nodes = build(world, site)  # type: ignore[attr-defined]
        world.site = site  # type: ignore[attr-defined]
        stack = stack_of(maintenance_page=PAGE)
        start_balancer(world, "lb-a", balancer_files(stack, "lb-a", site))
        until(lambda: get(world, "cdn")[0].get("status") == 200, "a request is answered", 40)
        yield world


@pytest.mark.parametrize(
    "host", ["closed.lab.test", "CLOSED.lab.test:80", "closed.lab.test.", "a.shop.lab.test"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_closed_host_is_answered_with_the_page(net: World, host: str, method: str) -> None:
    assert ask(net, host, "/cart", method) == SHOWN


@pytest.mark.parametrize("host", ["echo.lab.test", "shop.lab.test", "a.b.shop.lab.test"])
def test_other_hosts_are_answered_by_their_services(net: World, host: str) -> None:
    assert ask(net, host)[0] == 200


def test_who_signs_certificates_is_still_answered_at_a_closed_host(net: World) -> None:
    assert ask(net, "closed.lab.test", "/.well-known/acme-challenge/token")[0] == 200


def test_the_page_is_shown_where_no_server_is_up_and_nowhere_else(net: World) -> None:
    tell(net, 503)
    until(lambda: ask(net, "echo.lab.test") == SHOWN, "the page for a service without a server")
    assert api(net, MANAGEMENT).get("status") != 200

    tell(net, 200)
    until(lambda: ask(net, "echo.lab.test")[0] == 200, "the service is back")
    assert ask(net, "closed.lab.test") == SHOWN


def test_a_host_is_opened_by_a_reload(net: World) -> None:
    stack = stack_of(maintenance_page=PAGE | {"hosts": []})
    files = balancer_files(stack, "lb-a", net.site)  # type: ignore[attr-defined]
    lay(net, "lb-a", {haproxy.ROUTES: files[haproxy.ROUTES]})
    said = within(net, "lb-a", haproxy.RELOAD)
    assert said.returncode == 0, said.stderr

    until(lambda: ask(net, "closed.lab.test")[0] == 200, "the host is open")


def tell(world: World, status: int) -> None:
    """What every node says from now on."""
    for process in world.nodes.values():  # type: ignore[attr-defined]
        process.stdin.write(f"{status}\n".encode())
        process.stdin.flush()
        assert process.stdout.readline() == b"set\n"

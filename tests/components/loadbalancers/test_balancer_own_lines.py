"""What a stack's own lines do in a real balancer, and that a wrong one leaves the old ones.

One world for all tests, in the order written.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy
from settings.models import Stack
from tests.components import certificates
from tests.components.balancer_client import ask, request
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
VISITOR = "203.0.113.77"
LINES = {
    "global": ["tune.ssl.cachesize 30000"],
    "api": ["tcp-request connection reject if { src 198.51.100.0/24 }"],
    "defaults": ["option http-ignore-probes"],
    "service": [
        f"acl ended src {VISITOR}",
        'http-request return status 410 content-type text/plain string "Gone." '
        "if ended { path /gone }",
        "http-request set-header X-Seen %[src]/%[req.hdr(X-Forwarded-For)]",
        "http-after-response set-header Server ours",
        "use_backend ingress_https if { path /over }",
    ],
    "ingress": ["http-response set-header X-Backend %b"],
}


def status(world: World, host: str) -> int:
    return int(ask(world, "cdn", request(Host=host))[0]["status"])


def with_lines(**lines: list[str]) -> Stack:
    return stack_of(snippets=LINES | lines, answers={"set": {"Server": "theirs"}})


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    with World() as world:
        world.site = site  # type: ignore[attr-defined]
        build(world, site)
        start_balancer(world, "lb-a", balancer_files(with_lines(), "lb-a", site))
        until(lambda: get(world, "cdn")[0].get("status") == 200, "a request is answered", 40)
        yield world


def test_lines_of_the_service_see_the_client_as_the_cdn_names_it(net: World) -> None:
    asked = {"CF_Connecting_IP": VISITOR, "X_Forwarded_For": "192.0.2.1", "X_Seen": "forged"}
    gone, here, other = ask(
        net,
        "cdn",
        request(path="/gone", **asked),
        request(**asked),
        request(path="/gone", CF_Connecting_IP="203.0.113.78"),
    )

    assert (gone["status"], gone["text"]) == (410, "Gone.")
    assert (here["status"], here["headers"]["x-seen"]) == (200, f"{VISITOR}/{VISITOR}")
    assert other["status"] == 200


def test_the_last_word_about_an_answer_is_the_lines(net: World) -> None:
    (seen,) = ask(net, "cdn", request())

    assert seen["answered"]["server"] == "ours"
    assert seen["answered"]["x-backend"] == "ingress_http"


def test_a_way_of_the_lines_is_tried_before_the_programs(net: World) -> None:
    (seen,) = ask(net, "cdn", request(path="/over"))

    assert seen["answered"]["x-backend"] == "ingress_https"


def test_lines_at_the_api_say_who_reaches_it(net: World) -> None:
    assert api(net, MANAGEMENT)["status"] == 200
    assert "error" in api(net, VIP)


def test_a_wrong_line_is_refused_and_the_old_ones_go_on(net: World) -> None:
    wrong = "http-request frobnicate"
    stack = with_lines(service=[wrong])
    files = balancer_files(stack, "lb-a", net.site)  # type: ignore[attr-defined]
    number = files[haproxy.ROUTES].splitlines().index(f"    {wrong}") + 1
    lay(net, "lb-a", {haproxy.ROUTES: files[haproxy.ROUTES]})
    judged = within(net, "lb-a", *haproxy.CHECK)
    reloaded = within(net, "lb-a", haproxy.RELOAD)

    assert judged.returncode == 1
    assert f"parsing [{haproxy.ROUTES}:{number}]" in judged.stderr
    assert reloaded.returncode != 0
    (seen,) = ask(net, "cdn", request(path="/gone", CF_Connecting_IP=VISITOR))
    assert seen["status"] == 410


def test_a_condition_of_the_programs_name_would_open_its_rules(net: World) -> None:
    assert status(net, "no_host!") == 400

    stack = with_lines(service=["acl host_fits always_true"])
    files = balancer_files(stack, "lb-a", net.site)  # type: ignore[attr-defined]
    lay(net, "lb-a", {haproxy.ROUTES: files[haproxy.ROUTES]})
    assert within(net, "lb-a", haproxy.RELOAD).returncode == 0

    until(lambda: status(net, "no_host!") == 200, "what the settings refuse is why they do")

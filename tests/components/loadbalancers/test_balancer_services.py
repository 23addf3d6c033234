"""Public services as a real pair takes them: counted apart, and up as long as the ingress is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from settings.models import PublicService
from tests.components import certificates
from tests.components.balancer_client import ask, request, service
from tests.components.balancer_world import (
    balancer_files,
    build,
    counted,
    owner,
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
OTHER = 30999
SERVICES: list[dict[str, Any]] = [
    {"name": "shop", "hosts": ["shop.lab.test", "store.lab.test"], "image": "shop:1"},
    {"name": "cart", "hosts": ["shop.lab.test"], "path": "/cart", "image": "cart:1"},
    {
        **{"name": "other", "hosts": ["other.lab.test"], "service": "other/web:80"},
        **{"ingress_class": "other", "node_port": OTHER},
    },
]


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    with World() as world:
        site = certificates.self_signed("lab.test")
        nodes = build(world, site)
        world.nodes = nodes  # type: ignore[attr-defined]
        for node in NODES:
            service(world, node, "other", OTHER)
        stack = stack_of(
            vrrp={"advert_interval": 1},
            certificate={"source": "self-signed", "names": ["*.lab.test"]},
        )
        given = [PublicService.model_validate(each) for each in SERVICES]
        stack = stack.model_copy(update={"services": given})
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, balancer_files(stack, name, site))
        until(lambda: owner(world) == "lb-a", "lb-a owns the addresses", 60)
        everywhere = [request(tls=tls, Host=f"{name}.lab.test") for tls in (0, 1) for name in HOSTS]
        until(
            lambda: {each["status"] for each in ask(world, "cdn", *everywhere)} == {200},
            "every service is up",
            60,
        )
        yield world


HOSTS = ("shop", "other", "echo")


def answers(world: World, name: str, tls: bool) -> int:
    found = counted(world, f"route_{name}_{'https' if tls else 'http'}", "BACKEND")
    return int(found["hrsp_2xx"])


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("url", "name", "beside"),
    [
        ("shop.lab.test/", "shop", None),
        ("STORE.lab.test./carts", "shop", None),
        ("shop.lab.test/cart", "cart", None),
        ("shop.lab.test/cart/1", "cart", None),
        ("store.lab.test/cart", "shop", None),
        ("other.lab.test/x", "other", "other"),
    ],
)
def test_a_services_answers_are_its_own(
    net: World, url: str, name: str, beside: str | None, tls: bool
) -> None:
    host, slash, path = url.partition("/")
    before = {each["name"]: answers(net, each["name"], tls) for each in SERVICES}
    (seen,) = ask(net, "cdn", request(slash + path, tls=tls, Host=host))
    assert (seen["status"], seen.get("service")) == (200, beside)
    after = {each["name"]: answers(net, each["name"], tls) for each in SERVICES}
    assert after == {**before, name: before[name] + 1}


def test_an_ingress_that_is_asked_no_more_is_asked_by_no_service(net: World) -> None:
    """Its one check is everybody's: nobody asks a second time, and all hear of it."""
    process = net.nodes["worker-1"]  # type: ignore[attr-defined]
    tell(process, 503)
    until(
        lambda: counted(net, "route_shop_https", "worker-1")["status"].startswith("DOWN"),
        "the service's own server follows",
        30,
    )
    seen = ask(net, "cdn", *[request(tls=True, Host="shop.lab.test")] * 9)
    assert {each["status"] for each in seen} == {200}
    assert "worker-1" not in {each["node"] for each in seen}
    assert counted(net, "route_shop_https", "worker-1")["chkfail"] == ""
    tell(process, 200)
    until(
        lambda: counted(net, "route_shop_https", "worker-1")["status"].startswith("UP"),
        "and comes back with it",
        30,
    )


def tell(process: Any, status: int) -> None:
    process.stdin.write(f"{status}\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"set\n"

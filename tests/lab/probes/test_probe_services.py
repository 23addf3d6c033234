"""The probe of public services: each name, path and scheme, and that the right one answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lab.probes.result import Broken
from lab.probes.services import answering
from settings.models import PublicService

SHOP = {"name": "shop", "hosts": ["shop.lab.test", "store.lab.test"], "image": "shop:1"}
CART = {"name": "cart", "hosts": ["shop.lab.test"], "path": "/cart", "service": "shop/cart:80"}


def world(answers: dict[str, Any], *services: dict[str, Any]) -> Any:
    """`answers` by host and path; others are the ingress' own 404."""

    def ask(place: str, script: str, spec: dict[str, Any]) -> list[dict[str, Any]]:
        assert (place, script, spec["address"]) == ("client", "get", "203.0.113.10")
        assert spec["port"] == (443 if spec["tls"] else 80)
        said = answers.get(spec["host"] + spec["path"], {"status": 404})
        return [{"json": None, "error": "", **said}]

    vip = SimpleNamespace(wan=["203.0.113.10"])
    given = [PublicService.model_validate(each) for each in services]
    stack = SimpleNamespace(services=given, routers=SimpleNamespace(vips=[vip]))
    return SimpleNamespace(stack=stack, outputs={}, ask=ask, edge=None)


def shop(pod: str = "shop-7d9c-x2v") -> dict[str, Any]:
    return {"status": 200, "json": {"pod": pod}}


def test_every_name_by_both_schemes() -> None:
    answers = {"shop.lab.test/": shop(), "store.lab.test/": shop()}
    answers["shop.lab.test/cart"] = shop("cart-0a1b-q")
    assert answering(world(answers, SHOP, CART)) == "6 answers of 2 services"
    assert answering(world({})) == "0 answers of 0 services"


def test_a_name_that_nobody_serves_is_told() -> None:
    with pytest.raises(Broken, match=r"shop at http://store[.]lab[.]test/: 404"):
        answering(world({"shop.lab.test/": shop()}, SHOP))


@pytest.mark.parametrize(("status", "good"), [(204, True), (302, True), (401, True), (503, False)])
def test_a_login_is_an_answer_and_an_error_is_none(status: int, good: bool) -> None:
    made = world({"shop.lab.test/cart": {"status": status}}, CART)
    if good:
        answering(made)
    else:
        with pytest.raises(Broken, match=str(status)):
            answering(made)


def test_another_services_pod_is_told() -> None:
    answers = {"shop.lab.test/": shop("echo-abcde"), "store.lab.test/": shop()}
    with pytest.raises(Broken, match="the pod echo-abcde answered"):
        answering(world(answers, SHOP))
    with pytest.raises(Broken, match="the pod shop-7d9c-x2v answered"):
        answering(world({"shop.lab.test/cart": shop()}, CART))

"""Public services in the production stack, previewed by the real engine: what each layer is sent.

Kubernetes' and Proxmox's plugins are stood in for: what is shown is what the program sends them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from lab.engine.cli import find_cli
from tests import offline, whole
from tests.issued import made
from tests.offline import Plan

pytestmark = [
    pytest.mark.timeout(480),
    pytest.mark.skipif(
        find_cli() is None,
        reason="needs the Pulumi command line, or one built: python -m lab.engine preview",
    ),
]
SERVICES: list[dict[str, Any]] = [
    {
        **{"name": "shop", "hosts": ["www.example.org", "shop.example.org"], "port": 3000},
        **{"image": "registry.example.org/shop:1.4.2", "secrets": ["PASSWORD"]},
        "alert": {"availability": 99.9},
    },
    {"name": "cart", "hosts": ["www.example.org"], "path": "/cart", "service": "shop/shop:http"},
]
PASSWORD = "shop/shop/PASSWORD=hush-hush"
WATCHED = {
    "access": {"node_exporter": True},
    "platform": {
        "monitoring": {
            "chart": {
                **{"chart": "kube-prometheus-stack", "version": "88.5.3"},
                "repository": "https://charts.example.org",
            },
            "receivers": [{"name": "pager", "kind": "webhook"}],
        }
    },
    "balancers": {"certificate": {"names": ["*.example.org", "example.org"]}},
}


@cache
def planned(services: bool) -> Plan:
    """The inputs that the engine plans, by component, type and name; the rules hold for them."""
    config = whole.config_of("prod", WATCHED)
    if services:
        config["layered-cloud:services"] = SERVICES
    return offline.planned("prod", config, f"{whole.SECRETS['platformSecrets']}\n{PASSWORD}")


def one(plan: Plan, kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for urn, each in plan.items() if urn.endswith(f"{kind}::{name}")]
    return found


def test_an_app_has_its_pods_its_ingress_and_its_secret() -> None:
    plan = planned(True)
    pods = one(plan, "apps/v1:Deployment", "shop-pods")
    assert pods["spec"]["replicas"] == 2
    assert one(plan, "core/v1:Namespace", "shop-namespace")["metadata"]["name"] == "shop"
    assert one(plan, "policy/v1:PodDisruptionBudget", "shop-budget")["metadata"]["name"] == "shop"
    assert one(plan, "core/v1:Secret", "shop-shop-secret")["metadata"]["name"] == "shop"
    shop, cart = (
        one(plan, "networking.k8s.io/v1:Ingress", f"{name}-ingress")["spec"]["rules"]
        for name in ("shop", "cart")
    )
    assert [each["host"] for each in shop] == ["www.example.org", "shop.example.org"]
    (path,) = cart[0]["http"]["paths"]
    assert (path["path"], path["backend"]["service"]["name"]) == ("/cart", "shop")
    assert len([urn for urn in plan if "core/v1:Namespace::shop" in urn]) == 1
    assert "hush-hush" not in str(plan)


def test_its_names_have_records_and_what_was_there_stays() -> None:
    records = {
        each["name"] for urn, each in planned(True).items() if "dnsRecord:DnsRecord::" in urn
    }
    assert records == {"www.example.org", "app.example.org", "shop.example.org"}


def test_prometheus_judges_it() -> None:
    chart = one(planned(True), "helm.sh/v3:Release", "kube-prometheus-stack")
    rules = chart["values"]["additionalPrometheusRulesMap"]["layered-cloud-services"]
    assert [each["name"] for each in rules["groups"]] == ["layered-cloud-services-shop"]


def test_nothing_else_is_another_than_without_services() -> None:
    """But for the balancers' routes, which no first preview knows: the CDN has not answered."""
    without, plan = planned(False), planned(True)
    assert set(without) <= set(plan)
    changed = {urn.rpartition("::")[2] for urn, each in without.items() if plan[urn] != each}
    assert changed == {"kube-prometheus-stack"}


def test_the_balancers_have_its_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    given = made("www.example.org", names=("*.example.org",))
    monkeypatch.setitem(whole.SECRETS, "tlsCertificate", given.pem)
    monkeypatch.setitem(whole.SECRETS, "tlsKey", given.key_pem)
    config = whole.config_of("dev", whole.VARIANTS["straight"][1])
    config["layered-cloud:balancers"]["certificate"]["source"] = "given"
    config["layered-cloud:services"] = [{**SERVICES[0], "secrets": []}, SERVICES[1]]
    push = whole.registered(config).one("command:remote:Command", "lb-a-routes")
    assert "backend route_shop_https from routes" in push.inputs["stdin"]
    assert "backend route_cart_https from routes" in push.inputs["stdin"]

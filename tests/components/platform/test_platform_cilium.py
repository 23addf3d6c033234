"""Cilium's own ingress: in the release of another, who is believed, what answers the checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from components.loadbalancers.haproxy import CHECKED_HOST
from components.platform import Platform
from components.platform.addon import Addon, Values
from components.platform.addons import addons, in_order
from components.platform.ingress import cilium
from settings.checks.platform_ingress import INGRESS
from settings.models import NodePorts
from settings.models import Platform as PlatformSettings
from tests.components import stacks
from tests.components.mocks import Registered, run_program
from tests.components.platform.platform_args import args, plain, site

BALANCERS = ["198.18.10.11/32", "198.18.10.12/32"]
CHOSEN = {"kind": "cilium", "chart": None, "external_traffic_policy": "Cluster"}


def chosen(**given: object) -> PlatformSettings:
    ingress = plain().ingress.model_copy(update={**CHOSEN, **given})
    return plain().model_copy(update={"ingress": ingress})


def made(**given: object) -> dict[str, Addon]:
    return {each.name: each for each in addons(site(chosen(**given)))}


def values(**given: object) -> Values:
    return made(**given)["cilium"].chart_values


@pytest.fixture(scope="module")
def seen() -> Registered:
    lab = stacks.lab().platform
    platform = lab.model_copy(update={"ingress": lab.ingress.model_copy(update=CHOSEN)})
    return run_program(lambda: Platform("platform", args(platform)), answer=answer)


def answer(_: str, name: str, __: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the Service is like that a control plane reads back."""
    ports = [{"name": "http", "nodePort": 30080}, {"name": "https", "nodePort": 30443}]
    live = {
        "spec": {"ports": ports},
        "status": {"loadBalancer": {"ingress": [{"ip": "198.18.10.200"}]}},
    }
    return {"stdout": json.dumps(live)} if name == "platform-ingress-service" else {}


def test_its_values_are_in_the_release_of_the_pod_network_which_keeps_its_own() -> None:
    one = values()
    assert one["kubeProxyReplacement"] is True
    assert one["bpf"] == {"masquerade": True, "lbSourceRangeAllTypes": True}
    assert (one["envoy"]["enabled"], one["ingressController"]["enabled"]) == (True, True)
    ingress = made()["cilium-ingress"]
    assert (ingress.chart, ingress.values, ingress.after) == (None, {}, ("cilium",))
    order = [each.name for each in in_order(made().values())]
    assert order.index("cilium") < order.index("cilium-ingress")


def test_a_stacks_own_values_of_cilium_are_laid_over_those_of_its_ingress() -> None:
    platform = chosen()
    own = platform.cilium.model_copy(update={"values": {"envoy": {"minReadySeconds": 30}}})
    platform = platform.model_copy(update={"cilium": own})
    (release,) = [each for each in addons(site(platform)) if each.name == "cilium"]
    assert release.chart_values["envoy"]["minReadySeconds"] == 30
    assert release.chart_values["envoy"]["enabled"] is True


def test_another_kind_leaves_ciliums_release_as_it_was() -> None:
    release = {each.name: each for each in addons(site(plain()))}["cilium"]
    assert "ingressController" not in release.values
    assert release.values["envoy"] == {"enabled": False}


def test_who_connects_is_believed_and_only_the_balancers_connect_to_whatever_port() -> None:
    one = values()
    assert one["ingressController"]["enableProxyProtocol"] is True
    assert one["bpf"]["lbSourceRangeAllTypes"] is True
    (patch,) = made()["cilium-ingress"].patches.values()
    assert patch["metadata"] == {"name": "cilium-ingress", "namespace": "kube-system"}
    assert patch["spec"] == {"loadBalancerSourceRanges": BALANCERS}


def test_every_envoy_listens_before_there_is_an_application_and_knows_the_checks_host() -> None:
    (checks,) = made()["cilium-ingress"].objects.values()
    spec = checks["spec"]
    assert spec["ingressClassName"] == cilium.INGRESS_CLASS
    assert [each["host"] for each in spec["rules"]] == [CHECKED_HOST]
    assert spec["tls"] == [{"hosts": [CHECKED_HOST]}], "without a Secret: the default one"
    one = values()["ingressController"]
    assert one["defaultSecretNamespace"] == "kube-system"
    assert one["defaultSecretName"] == cilium.CERTIFICATE.name
    assert cilium.CILIUM.minted is cilium.CERTIFICATE
    assert checks["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_the_service_has_the_ports_decided_or_those_the_cluster_chooses() -> None:
    service = values()["ingressController"]["service"]
    assert (service["insecureNodePort"], service["secureNodePort"]) == (30080, 30443)
    free = NodePorts(http=None, https=None, health=None)
    undecided = values(node_ports=free)["ingressController"]["service"]
    assert {"insecureNodePort", "secureNodePort"} & set(undecided) == set()


def test_what_the_program_writes_is_what_the_settings_let_a_stack_repeat() -> None:
    one: Any = values()
    for rule in INGRESS["cilium"].decided(chosen().ingress):
        held: Any = one
        for key in rule.keys:
            held = held.get(key) if isinstance(held, dict) else None
        if held is not None and not rule.keys[-1].startswith("defaultSecret"):
            assert rule.allowed(held), rule.keys


def test_no_number_is_one_that_helm_writes_with_an_exponent() -> None:
    numbers = [each for each in values()["envoy"].values() if type(each) is int]
    assert numbers
    assert max(numbers) < 1_000_000


def test_the_engine_is_given_a_patch_of_the_service_after_the_release(seen: Registered) -> None:
    release = seen.one("kubernetes:helm.sh/v3:Release", "cilium")
    patch = seen.one("kubernetes:core/v1:ServicePatch", "cilium-ingress-sources")
    assert patch.inputs["kind"] == "Service"
    assert patch.inputs["spec"] == {"loadBalancerSourceRanges": BALANCERS}
    assert release.urn in patch.dependencies


def test_the_service_is_read_back_once_ciliums_release_is_there(seen: Registered) -> None:
    release = seen.one("kubernetes:helm.sh/v3:Release", "cilium")
    service = seen.one("command:remote:Command", "platform-ingress-service")
    assert release.urn in service.dependencies
    assert [each.name for each in seen.of_type("kubernetes:helm.sh/v3:Release")].count(
        "cilium-ingress"
    ) == 0

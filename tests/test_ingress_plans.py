"""Each ingress controller in the production stack, previewed by the real engine.

Kubernetes' and Proxmox's plugins are stood in for: what is shown is what the program sends them.
"""

from __future__ import annotations

from typing import Any

import pytest

from components.platform.ingress import CONTROLLERS
from lab.engine.cli import find_cli
from settings.checks.platform_ingress import INGRESS
from tests import whole
from tests.components.platform.platform_args import site
from tests.offline import planned

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        find_cli() is None,
        reason="needs the Pulumi command line, or one built: python -m lab.engine preview",
    ),
]
RELEASE = "kubernetes:helm.sh/v3:Release"
DEMO = {"enabled": True, "host": "www.example.org", "image": "registry.example.org/echo:1"}


def stack_with(word: str) -> dict[str, Any]:
    rules = INGRESS[word]
    chart = {"chart": rules.chart, "version": "1.2.3", "repository": "https://example.org"}
    ingress = {"kind": word, "node_ports": {"health": None}}
    ingress["chart"] = None if rules.chart is None else chart
    if rules.everywhere:
        ingress["external_traffic_policy"] = "Cluster"
    return whole.config_of("prod", {"platform": {"ingress": ingress, "demo": DEMO}})


@pytest.mark.parametrize("word", sorted(CONTROLLERS))
def test_the_engine_plans_the_release_and_an_ingress_of_its_class(word: str) -> None:
    controller, plan = CONTROLLERS[word], planned("prod", stack_with(word))
    (values,) = [
        inputs["values"]
        for name, inputs in plan.items()
        if name.endswith(f"{RELEASE}::{controller.release}")
    ]
    assert set(controller.values(site())) <= set(values)
    assert set(values) <= set(INGRESS[word].keys.get("", " ".join(values)).split())
    (ingress,) = [
        inputs
        for name, inputs in plan.items()
        if name.endswith("networking.k8s.io/v1:Ingress::echo-ingress")
    ]
    assert ingress["spec"]["ingressClassName"] == controller.ingress_class
    annotations = {**controller.annotations, **controller.tls_annotations}
    assert ingress["metadata"].get("annotations", {}) == annotations
    wanted = None if controller.tls is None else [{"hosts": [DEMO["host"]], **controller.tls}]
    assert ingress["spec"].get("tls") == wanted
    minted = [] if controller.minted is None else [controller.minted.name]
    assert [name for name in minted if not any(f"::platform-{name}" in each for each in plan)] == []
    objects = {} if controller.objects is None else controller.objects(site())
    for name, wanted in objects.items():
        (found,) = [inputs for urn, inputs in plan.items() if urn.endswith(f"::{name}")]
        assert found["spec"] == wanted["spec"]
    patches = {} if controller.patches is None else controller.patches(site())
    for name, wanted in patches.items():
        (found,) = [
            inputs for urn, inputs in plan.items() if urn.endswith(f"{wanted['kind']}Patch::{name}")
        ]
        assert set(found["spec"]) == set(wanted["spec"])


def test_the_engine_plans_a_topology_as_the_keys_that_it_stands_for() -> None:
    config = whole.config_of("prod", {})
    del config["layered-cloud:platform"]["ingress"]["chart"]
    in_a_word = planned("prod", {**config, "layered-cloud:topology": "cilium-ingress"})
    controller = CONTROLLERS["cilium"]
    names = {name.partition("::")[2] for name in in_a_word}
    assert {"cilium-ingress-checks", "cilium-ingress-sources"} <= names
    (values,) = [
        inputs["values"]
        for name, inputs in in_a_word.items()
        if name.endswith(f"{RELEASE}::{controller.release}")
    ]
    assert values["ingressController"]["service"]["externalTrafficPolicy"] == "Cluster"
    assert not [name for name in in_a_word if name.endswith(f"{RELEASE}::traefik")]

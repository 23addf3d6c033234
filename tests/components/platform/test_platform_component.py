"""What the platform's layer registers with the engine, and how it holds what it reads back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.platform import Platform, objects, readback, render
from components.platform.readback import Mismatch
from settings.models import NodePorts
from settings.models import Platform as PlatformSettings
from tests.components import stacks
from tests.components.mocks import Registered, run_program
from tests.components.platform.platform_args import args

PROVIDER = "pulumi:providers:kubernetes"
RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"
SERVICE = "kubernetes:core/v1:Service"
COMMAND = "command:remote:Command"
POOL = "kubernetes:metallb.io/v1beta1:IPAddressPool"
ADVERTISEMENT = "kubernetes:metallb.io/v1beta1:L2Advertisement"


class Vm(pulumi.CustomResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Vm", name, {})


LIVE = {
    "spec": {
        "ports": [
            {"name": "web", "port": 80, "nodePort": 30080},
            {"name": "websecure", "port": 443, "nodePort": 30443},
        ],
        "healthCheckNodePort": 30081,
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "198.18.10.200"}]}},
}


def run(
    settings: PlatformSettings | None = None,
    live: Mapping[str, Any] = LIVE,
    preview: bool = False,
) -> Registered:
    def answer(type_: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return live if (type_, name) == (SERVICE, "ingress-service") else {}

    def program() -> Any:
        (control_plane,) = stacks.machines(stacks.lab(), "control_plane")
        layer = Platform(
            "platform",
            args(settings, control_plane=replace(control_plane, vm=Vm("cp-1"))),
        )
        ports = layer.ports
        return {
            "http": ports.http,
            "https": ports.https,
            "health": ports.health,
            "ip": ports.load_balancer_ip,
        }

    return run_program(program, answer=answer, preview=preview)


DECIDED = {"http": 30080, "https": 30443, "health": 30081, "ip": "198.18.10.200"}


def undecided() -> PlatformSettings:
    settings = stacks.lab().platform
    ingress = settings.ingress.model_copy(
        update={
            "node_ports": NodePorts(http=None, https=None, health=None),
            "load_balancer_ip": None,
        }
    )
    return settings.model_copy(update={"ingress": ingress})


def test_the_releases_are_installed_one_after_the_other() -> None:
    seen = run()
    assert sorted(seen.names(RELEASE)) == ["cilium", "metallb", "traefik"]
    cilium, metallb, traefik = (
        seen.one(RELEASE, name) for name in ("cilium", "metallb", "traefik")
    )
    assert cilium.urn in metallb.dependencies
    pool = seen.of_type(POOL)[0]
    assert {cilium.urn, pool.urn, seen.of_type(ADVERTISEMENT)[0].urn} <= traefik.dependencies


def test_charts_are_pinned_and_named_as_settings_say() -> None:
    inputs = run().one(RELEASE, "metallb").inputs
    assert (inputs["chart"], inputs["version"]) == ("metallb", "0.15.2")
    assert inputs["repositoryOpts"] == {"repo": "http://198.18.0.4/charts"}
    assert inputs["namespace"] == "metallb-system"


def test_the_pool_is_sent_only_after_the_webhook_judged_it() -> None:
    seen = run()
    judged = seen.one(COMMAND, "platform-metallb-webhook")
    assert seen.one(RELEASE, "metallb").urn in judged.dependencies
    for type_ in (POOL, ADVERTISEMENT):
        assert judged.urn in seen.of_type(type_)[0].dependencies
    assert "198.18.10.200-198.18.10.220" in judged.inputs["stdin"]


def test_kinds_of_metallb_are_sent_by_a_provider_made_after_its_release() -> None:
    seen = run()
    late = seen.one(PROVIDER, "platform-metallb-kinds")
    assert seen.one(COMMAND, "platform-metallb-webhook").urn in late.dependencies
    assert seen.of_type(POOL)[0].provider.startswith(late.urn)
    first = seen.one(PROVIDER, "platform-cluster")
    assert seen.one(RELEASE, "metallb").provider.startswith(first.urn)


def test_a_provider_knows_its_cluster_by_a_name_that_stays() -> None:
    for provider in run().of_type(PROVIDER):
        assert provider.inputs["clusterIdentifier"] == "lab-lab"
        assert "kubeconfig" in provider.secret_inputs
        assert str(provider.inputs["deleteUnreachable"]).lower() == "true"
        assert str(provider.inputs["enableServerSideApply"]).lower() == "true"


def test_what_is_in_the_cluster_goes_and_comes_with_the_control_planes_machine() -> None:
    seen = run()
    (vm,) = seen.of_type("test:index:Vm")
    inside = [
        each
        for each in seen.resources
        if each.type.startswith("kubernetes:") and each.name != "ingress-service"
    ]
    assert len(inside) >= 10
    for each in inside:
        assert each.deleted_with == vm.urn, each.name
        # Replaced with the machine, they would be deleted first, from a cluster that may be dead.
        assert each.replace_with == (), each.name
        assert each.delete_before_replace, each.name
        # No release can be deleted from a cluster that is gone.
        assert each.retain_on_delete == (each.type == RELEASE), each.name


def test_everything_hangs_below_the_layer() -> None:
    seen = run()
    (layer,) = seen.of_type("layered-cloud:platform:Platform")
    for each in seen.resources:
        if each.type.startswith(("kubernetes:", "pulumi:providers:kubernetes")):
            assert each.parent == layer.urn, each.name


def test_namespaces_allow_no_more_than_their_pods_need() -> None:
    seen = run()
    levels = {
        each.inputs["metadata"]["name"]: each.inputs["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for each in seen.of_type(NAMESPACE)
    }
    assert levels == {"metallb-system": "privileged", "traefik": "baseline", "echo": "restricted"}


def test_the_demonstration_is_a_setting() -> None:
    settings = stacks.lab().platform
    assert settings.demo is not None
    off = settings.model_copy(update={"demo": settings.demo.model_copy(update={"enabled": False})})
    assert run(off).names("kubernetes:networking.k8s.io/v1:Ingress") == []
    assert run().names("kubernetes:networking.k8s.io/v1:Ingress") == ["echo-ingress"]
    assert run().names("kubernetes:apps/v1:DaemonSet") == ["echo-pods"]
    spread = settings.model_copy(
        update={"demo": settings.demo.model_copy(update={"every_node": False})}
    )
    assert run(spread).names("kubernetes:apps/v1:Deployment") == ["echo-pods"]


def test_decided_values_flow_once_they_were_seen_live() -> None:
    assert run().value == DECIDED


def test_decided_values_are_known_in_a_preview() -> None:
    assert run(live={}, preview=True).value == DECIDED


def test_undecided_values_are_discovered() -> None:
    live = {
        "spec": {
            "ports": [{"name": "web", "nodePort": 31000}, {"name": "websecure", "nodePort": 31001}],
            "healthCheckNodePort": 31002,
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "198.18.10.201"}]}},
    }
    assert run(undecided(), live).value == {
        "http": 31000,
        "https": 31001,
        "health": 31002,
        "ip": "198.18.10.201",
    }


def other(**spec: Any) -> dict[str, Any]:
    return {**LIVE, "spec": {**LIVE["spec"], **spec}}


def test_another_node_port_fails_the_update_and_names_both() -> None:
    ports = [{"name": "web", "nodePort": 31999}, {"name": "websecure", "nodePort": 30443}]
    with pytest.raises(
        Mismatch, match="the live Service's NodePort for http is 31999, but 30080 was decided"
    ):
        run(live=other(ports=ports))


def test_another_health_port_fails_the_update_and_names_both() -> None:
    with pytest.raises(Mismatch, match="healthCheckNodePort is 32000, but 30081 was decided"):
        run(live=other(healthCheckNodePort=32000))


def test_a_service_without_an_address_fails_the_update() -> None:
    live = {**LIVE, "status": {"loadBalancer": {}}}
    with pytest.raises(
        Mismatch,
        match=r"the live Service has no LoadBalancer address, though 198\.18\.10\.200 was",
    ):
        run(live=live)


@pytest.mark.parametrize(("decided", "live"), [(1, 1), (None, 1)])
def test_agreement_gives_the_live_value(decided: int | None, live: int) -> None:
    assert readback.agreed("port", decided, live) == 1


def test_a_value_that_is_nowhere_is_named() -> None:
    with pytest.raises(Mismatch, match="ingress: the live Service has no port; look at `kubectl"):
        readback.agreed("port", None, None)


def test_outputs_are_registered() -> None:
    seen = run()
    (layer,) = seen.of_type("layered-cloud:platform:Platform")
    assert seen.outputs[layer.urn] == {
        "httpNodePort": 30080,
        "httpsNodePort": 30443,
        "healthCheckNodePort": 30081,
        "loadBalancerIp": "198.18.10.200",
    }


def test_nonsense_stops_the_program_before_anything_is_made() -> None:
    with pytest.raises(pulumi.RunError, match="platform:\n  - the platform knows no balancer"):
        run_program(lambda: Platform("platform", args(trusted=[])).ports.http)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "text",
    [
        render.webhook_guard([objects.pool(args()), objects.advertisement(args())]),
        render.webhook_wait([objects.pool(args())], 60),
    ],
    ids=["guard", "wait"],
)
def test_the_webhook_texts_are_clean_to_shellcheck(text: str) -> None:
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "-"],
        input=f"#!/bin/bash\n{text}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""

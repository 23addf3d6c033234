"""What the platform's layer registers with the engine, and how it holds what it reads back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.host import dependencies
from components.host.errors import LayerError
from components.platform import Platform
from settings.models import NodePorts
from settings.models import Platform as PlatformSettings
from tests.components import stacks
from tests.components.mocks import Registered, Registration, run_program
from tests.components.platform.platform_args import args

PROVIDER = "pulumi:providers:kubernetes"
RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"
COMMAND = "command:remote:Command"
POOL = "kubernetes:metallb.io/v1beta1:IPAddressPool"
ADVERTISEMENT = "kubernetes:metallb.io/v1beta1:L2Advertisement"


VM = "test:index:Vm"


class Vm(pulumi.CustomResource):
    def __init__(self, name: str) -> None:
        super().__init__(VM, name, {})


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
    live: Mapping[str, Any] | None = LIVE,
    preview: bool = False,
    **given: Any,
) -> Registered:
    def answer(type_: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stdout": json.dumps(live)} if name == "platform-ingress-service" and live else {}

    def program() -> Any:
        (control_plane,) = stacks.machines(stacks.lab(), "control_plane")
        layer = Platform(
            "platform",
            args(
                settings,
                control_plane=replace(
                    control_plane, **{"vm": Vm("cp-1"), "lifetime": Vm("life"), **given}
                ),
            ),
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


def test_the_releases_wait_for_the_pod_network_and_for_none_of_the_others() -> None:
    seen = run()
    assert sorted(seen.names(RELEASE)) == ["cilium", "metallb", "traefik"]
    cilium, metallb, traefik = (
        seen.one(RELEASE, name) for name in ("cilium", "metallb", "traefik")
    )
    assert cilium.urn in metallb.dependencies & traefik.dependencies
    others = {each.urn for type_ in (RELEASE, POOL, ADVERTISEMENT) for each in seen.of_type(type_)}
    assert traefik.dependencies & others == {cilium.urn}
    assert metallb.dependencies & others == {cilium.urn}
    for each in seen.resources:
        if "echo" in each.name and each.type != NAMESPACE:
            assert each.dependencies & others == {cilium.urn}, each.name


@pytest.mark.parametrize("answers", [True, False])
def test_what_comes_after_waits_for_releases_only_while_an_api_answers(
    answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "components.platform.component.reachable", lambda _: pulumi.Output.from_input(answers)
    )

    def program() -> Any:
        (control_plane,) = stacks.machines(stacks.lab(), "control_plane")
        layer = Platform("platform", args(control_plane=control_plane))
        after = pulumi.ResourceOptions(depends_on=dependencies(_after(layer.there)))
        routes = pulumi.CustomResource(
            "test:index:Routes", "routes", {"http": layer.ports.http}, after
        )
        layer.comes_after(routes)

    def answer(_type: str, name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"stdout": json.dumps(LIVE)} if name == "platform-ingress-service" else {}

    seen = run_program(program, answer=answer)
    releases = {each.urn for each in seen.of_type(RELEASE)}
    service = seen.one(COMMAND, "platform-ingress-service")
    routes = seen.one("test:index:Routes", "routes")
    assert routes.inputs == {"http": 30080}
    assert service.urn in routes.dependencies
    assert bool(releases & service.dependencies) is answers
    assert (routes.dependencies >= releases) is answers
    assert bool(routes.dependencies & releases) is answers
    for provider in seen.of_type(PROVIDER):
        assert (routes.urn in provider.dependencies) is not answers, provider.name


def _after(*before: pulumi.Input[pulumi.Resource]) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=list(before))


def test_what_metallbs_speakers_mount_is_there_before_them_and_of_no_known_value() -> None:
    seen = run()
    minted = seen.one(COMMAND, "platform-metallb-memberlist")
    assert minted.urn in seen.one(RELEASE, "metallb").dependencies
    assert seen.one(NAMESPACE, "metallb-system-namespace").urn in minted.dependencies
    request = json.loads(minted.inputs["stdin"])["request"]
    assert "get secret metallb-memberlist" in request["guard"]
    assert "/dev/urandom" in request["do"]
    assert (request["secrets"], request["undo"]) == ({}, None)


def test_what_metallbs_controller_would_wait_for_is_there_before_its_release() -> None:
    seen = run()
    minted = seen.one(COMMAND, "platform-metallb-webhook-cert")
    assert minted.urn in seen.one(RELEASE, "metallb").dependencies
    assert seen.one(COMMAND, "platform-metallb-memberlist").urn not in minted.dependencies
    # Beside the pod network's coming.
    assert seen.one(NAMESPACE, "metallb-system-namespace").urn in minted.dependencies
    assert seen.one(RELEASE, "cilium").urn not in minted.dependencies
    request = json.loads(minted.inputs["stdin"])["request"]
    assert "get secret metallb-webhook-cert" in request["guard"]
    assert "meta.helm.sh/release-name=metallb" in request["do"]


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
        # With it a refresh would forget every object while the API is out of reach.
        assert "deleteUnreachable" not in provider.inputs
        assert str(provider.inputs["enableServerSideApply"]).lower() == "true"


def inside(seen: Registered) -> list[Registration]:
    return [each for each in seen.resources if each.type.startswith("kubernetes:")]


def test_what_is_in_the_cluster_goes_with_what_is_replaced_with_the_machine() -> None:
    seen = run()
    assert len(inside(seen)) == 11
    for each in inside(seen):
        # Not with the VM: the engine would ask a dead cluster when the VM is replaced
        # (test_lifetime_engine).
        assert each.deleted_with == seen.one(VM, "life").urn, each.name
        assert each.replace_with == (seen.one(VM, "cp-1").urn,), each.name
        assert each.delete_before_replace, each.name
        # No release can be deleted from a cluster that is gone.
        assert each.retain_on_delete == (each.type == RELEASE), each.name


def test_what_is_in_the_cluster_of_a_machine_without_a_lifetime_goes_with_its_vm() -> None:
    seen = run(lifetime=None)
    assert {each.deleted_with for each in inside(seen)} == {seen.one(VM, "cp-1").urn}
    assert {each.replace_with for each in inside(seen)} == {()}


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
    assert run(live=None, preview=True).value == DECIDED


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


def test_where_every_node_answers_no_health_port_is_asked_for() -> None:
    platform = stacks.lab().platform
    given = {"external_traffic_policy": "Cluster", "node_ports": NodePorts(health=None)}
    ingress = platform.ingress.model_copy(update=given)
    live = {**LIVE, "spec": {"ports": LIVE["spec"]["ports"]}}
    chosen = platform.model_copy(update={"ingress": ingress})
    seen = run(chosen, live)
    assert seen.value == {**DECIDED, "health": None}
    assert "healthCheckNodePort" not in read_back(seen)["do"]
    assert run(chosen, preview=True).value["health"] is None


def read_back(seen: Registered) -> Mapping[str, Any]:
    """What the control plane is asked to do for it."""
    inputs = seen.one(COMMAND, "platform-ingress-service").inputs
    return dict(json.loads(inputs["stdin"])["request"])


def test_the_ingress_service_is_read_back_by_a_control_plane_after_its_release() -> None:
    seen = run()
    asked = seen.one(COMMAND, "platform-ingress-service")
    assert seen.one(RELEASE, "traefik").urn in asked.dependencies
    assert asked.inputs["connection"]["host"] == "198.18.0.31"
    assert "--namespace traefik get service traefik --output json\n" in read_back(seen)["result"]
    assert "judge 'NodePort for http' '30080'" in read_back(seen)["do"]
    # By the provider, it would be read on every run, and stop every run while the API is away.
    assert [each.name for each in seen.resources if each.name == "ingress-service"] == []


def changed(**values: Any) -> PlatformSettings:
    settings = stacks.lab().platform
    assert settings.ingress.chart is not None
    chart = settings.ingress.chart.model_copy(update={"values": values})
    ingress = settings.ingress.model_copy(update={"chart": chart})
    return settings.model_copy(update={"ingress": ingress})


def test_the_ingress_service_is_read_again_when_its_release_is_another() -> None:
    first = read_back(run())["epoch"]
    assert read_back(run())["epoch"] == first
    assert read_back(run(changed(logs={"general": {"level": "DEBUG"}})))["epoch"] != first


def test_a_release_says_whose_it_is_and_what_to_do_when_it_was_cut_off() -> None:
    for release in run().of_type(RELEASE):
        assert release.inputs["description"] == "layered-cloud/lab"
        assert release.on_error == (f"platform-{release.name}-cut-off",)


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
    with pytest.raises(LayerError, match="platform:\n  - the platform knows no balancer"):
        run_program(lambda: Platform("platform", args(trusted=[])).ports.http)

"""Charts, rendered by the real helm: what the platform asks for, and what is refused."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.paths import CHECKOUT
from lab.software import charts, goitems
from lab.software.charts import TRAEFIK, helm
from lab.software.store import BuildError

UPSTREAM = CHECKOUT.parent / "shared" / "data" / "charts" / "traefik.values.schema.json"

needs_helm = pytest.mark.skipif(
    not goitems.HELM.item.ready,
    reason="helm is not built: python -m lab.software build --only helm",
)

VALUES: dict[str, Any] = {
    "deployment": {"kind": "DaemonSet"},
    "image": {"tag": "v3.7.15"},
    "ingressClass": {"enabled": True, "isDefaultClass": True, "name": "traefik"},
    "providers": {
        "kubernetesCRD": {"enabled": False},
        "kubernetesIngress": {"enabled": True, "publishedService": {"enabled": True}},
    },
    "ports": {
        "web": {
            "port": 8000,
            "nodePort": 30080,
            "proxyProtocol": {"trustedIPs": ["198.18.10.11/32", "198.18.10.12/32"]},
            "forwardedHeaders": {"trustedIPs": ["198.18.10.11/32"]},
        },
        "websecure": {"nodePort": 30443, "http": {"tls": {"enabled": True}}},
    },
    "service": {
        "annotations": {"metallb.io/loadBalancerIPs": "198.18.10.200"},
        "labels": {"tier": "edge"},
        "spec": {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "healthCheckNodePort": 30081,
            "loadBalancerClass": "metallb.io/metallb",
        },
    },
    "updateStrategy": {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    },
    "tolerations": [{"operator": "Exists"}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "resources": {"requests": {"cpu": "50m"}},
    "additionalArguments": ["--accesslog.fields.defaultmode=keep"],
}


def render(chart: Path, values: Mapping[str, Any], work: Path) -> dict[tuple[str, str], Any]:
    """The rendered objects, by kind and name."""
    path = work / "values.yaml"
    path.write_text(yaml.safe_dump(dict(values)))
    text = helm(
        ["template", "traefik", str(chart), "--namespace", "ingress", "--values", str(path)], work
    )
    objects = [document for document in yaml.safe_load_all(text) if document]
    return {(o["kind"], o["metadata"]["name"]): o for o in objects}


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


@needs_helm
def test_the_service_is_what_the_platform_decided(work: Path) -> None:
    service = render(TRAEFIK, VALUES, work)[("Service", "traefik")]
    assert service["metadata"]["annotations"] == {"metallb.io/loadBalancerIPs": "198.18.10.200"}
    assert service["metadata"]["labels"]["tier"] == "edge"
    spec = service["spec"]
    assert spec["type"] == "LoadBalancer"
    assert spec["externalTrafficPolicy"] == "Local"
    assert spec["healthCheckNodePort"] == 30081
    assert spec["loadBalancerClass"] == "metallb.io/metallb"
    assert {(p["name"], p["port"], p["targetPort"], p["nodePort"]) for p in spec["ports"]} == {
        ("web", 80, "web", 30080),
        ("websecure", 443, "websecure", 30443),
    }


@needs_helm
def test_the_workload_runs_one_pod_a_node_with_the_flags_of_its_values(work: Path) -> None:
    objects = render(TRAEFIK, VALUES, work)
    workload = objects[("DaemonSet", "traefik")]
    service = objects[("Service", "traefik")]
    pod = workload["spec"]["template"]
    assert workload["spec"]["updateStrategy"] == VALUES["updateStrategy"]
    assert workload["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert pod["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "docker.io/traefik:v3.7.15"
    assert container["resources"] == {"requests": {"cpu": "50m"}}
    assert {
        "--entryPoints.web.address=:8000/tcp",
        "--entryPoints.web.proxyProtocol.trustedIPs=198.18.10.11/32,198.18.10.12/32",
        "--entryPoints.web.forwardedHeaders.trustedIPs=198.18.10.11/32",
        "--entryPoints.websecure.http.tls=true",
        "--providers.kubernetesIngress=true",
        "--providers.kubernetesIngress.ingressEndpoint.publishedService=ingress/traefik",
        "--metrics.prometheus.entryPoint=metrics",
        "--accesslog.fields.defaultmode=keep",
    } <= set(container["args"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"web": 8000, "websecure": 8443, "traefik": 8080, "metrics": 9100}
    assert container["readinessProbe"]["httpGet"]["port"] == 8080


@needs_helm
def test_a_file_of_routes_is_mounted_where_traefik_is_told_to_read_it(work: Path) -> None:
    content = {"http": {"middlewares": {"again": {"retry": {"attempts": 3}}}}}
    file = {"enabled": True, "watch": False, "content": content}
    objects = render(TRAEFIK, {"providers": {"file": file}}, work)
    written = objects[("ConfigMap", "traefik-file-provider")]["data"]["config.yml"]
    assert yaml.safe_load(written) == content
    pod = objects[("Deployment", "traefik")]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert "--providers.file.directory=/etc/traefik/dynamic" in container["args"]
    mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}
    source = volumes[mounted["/etc/traefik/dynamic"]]["configMap"]["name"]
    assert source == "traefik-file-provider"
    assert ("ConfigMap", "traefik-file-provider") not in render(TRAEFIK, VALUES, work)


@needs_helm
def test_the_ingress_class_and_rights_are_there(work: Path) -> None:
    objects = render(TRAEFIK, VALUES, work)
    ingress_class = objects[("IngressClass", "traefik")]
    assert ingress_class["spec"]["controller"] == "traefik.io/ingress-controller"
    marked = ingress_class["metadata"]["annotations"]
    assert marked == {"ingressclass.kubernetes.io/is-default-class": "true"}
    binding = objects[("ClusterRoleBinding", "traefik-ingress")]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "traefik", "namespace": "ingress"}
    ]
    assert ("ServiceAccount", "traefik") in objects


@needs_helm
def test_a_deployment_keeps_its_replicas_and_a_budget(work: Path) -> None:
    values = {
        "deployment": {"kind": "Deployment", "replicas": 3},
        "podDisruptionBudget": {"enabled": True, "maxUnavailable": 0},
        "metrics": {"prometheus": None},
        "ports": {"metrics": None},
    }
    objects = render(TRAEFIK, values, work)
    assert objects[("Deployment", "traefik")]["spec"]["replicas"] == 3
    assert objects[("PodDisruptionBudget", "traefik")]["spec"]["maxUnavailable"] == 0
    (container,) = objects[("Deployment", "traefik")]["spec"]["template"]["spec"]["containers"]
    assert not any("metrics" in argument for argument in container["args"])
    assert "metrics" not in {port["name"] for port in container["ports"]}


@needs_helm
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"logs": {"general": {"level": "INFO"}}}, "additional properties 'logs' not allowed"),
        ({"ports": {"web": {"tls": {"enabled": True}}}}, "at '/ports/web'"),
        ({"ports": {"web": {"expose": True}}}, "at '/ports/web/expose': got boolean, want object"),
        ({"service": {"type": "NodePort"}}, "at '/service'"),
        ({"service": {"spec": {"loadBalancerIp": "x"}}}, "'loadBalancerIp' not allowed"),
        ({"service": {"spec": {"type": "ExternalName"}}}, "at '/service/spec/type'"),
        ({"service": {"spec": {"ports": []}}}, "service.spec.ports: cannot be set"),
        ({"deployment": {"kind": "StatefulSet"}}, "at '/deployment/kind'"),
        ({"providers": {"kubernetesCRD": {"enabled": True}}}, "kubernetesCRD/enabled"),
        ({"ingressRoute": {"dashboard": {"enabled": True}}}, "/ingressRoute/dashboard/enabled"),
        ({"ports": {"traefik": None}}, "ports.traefik: cannot be removed"),
    ],
)
def test_values_it_does_not_render_are_refused(
    work: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(BuildError) as refused:
        render(TRAEFIK, values, work)
    assert message in str(refused.value)


def _known(ours: Any, theirs: Any, where: str) -> Iterator[str]:
    """Values of ours that upstream's schema does not have."""
    for name, below in ours.get("properties", {}).items():
        upstream = theirs.get("properties", {})
        if name in upstream:
            yield from _known(below, upstream[name], f"{where}.{name}")
        elif upstream and where != ".service.spec":
            yield f"{where}.{name}"
    more, wanted = ours.get("additionalProperties"), theirs.get("additionalProperties")
    if isinstance(more, dict) and isinstance(wanted, dict):
        yield from _known(more, wanted, f"{where}.*")


@pytest.mark.skipif(not UPSTREAM.is_file(), reason="upstream's values schema is not beside here")
def test_every_value_it_takes_is_one_of_upstreams() -> None:
    ours = json.loads((TRAEFIK / "values.schema.json").read_text())
    assert list(_known(ours, json.loads(UPSTREAM.read_text()), "")) == []


@pytest.mark.skipif(not UPSTREAM.is_file(), reason="upstream's values schema is not beside here")
def test_values_and_defaults_fit_upstreams_schema() -> None:
    import jsonschema

    schema = json.loads(UPSTREAM.read_text())
    jsonschema.validate(VALUES, schema)
    jsonschema.validate(yaml.safe_load((TRAEFIK / "values.yaml").read_text()), schema)


@needs_helm
@pytest.mark.skipif(not charts.item().ready, reason="the chart repository is not built")
def test_the_repository_offers_each_chart_in_its_version(work: Path) -> None:
    root = charts.item().path
    index = yaml.safe_load((root / "index.yaml").read_text())
    assert {name: [v["version"] for v in found] for name, found in index["entries"].items()} == {
        name: [version] for name, version in charts.CHARTS.items()
    }
    for found in index["entries"].values():
        for url in found[0]["urls"]:
            assert "/" not in url, "relative, so that any address can serve it"
            assert (root / url).is_file()


@needs_helm
@pytest.mark.skipif(not charts.item().ready, reason="the chart repository is not built")
def test_metallb_renders_in_layer_2_mode_with_its_own_resources(work: Path) -> None:
    archive = charts.item().path / f"metallb-{charts.CHARTS['metallb']}.tgz"
    values = {
        "frrk8s": {"enabled": False},
        "speaker": {"frr": {"enabled": False}, "ignoreExcludeLB": True},
    }
    objects = render(archive, values, work)
    (speaker,) = (o for (kind, _), o in objects.items() if kind == "DaemonSet")
    assert [c["image"] for c in speaker["spec"]["template"]["spec"]["containers"]] == [
        "quay.io/metallb/speaker:v0.15.2"
    ]
    assert ("CustomResourceDefinition", "ipaddresspools.metallb.io") in objects


@needs_helm
@pytest.mark.skipif(not charts.item().ready, reason="the chart repository is not built")
def test_cilium_asks_for_the_images_that_are_served(work: Path) -> None:
    archive = charts.item().path / f"cilium-{charts.CHARTS['cilium']}.tgz"
    with tarfile.open(archive) as opened:
        assert "cilium/values.yaml" in opened.getnames()
    values = {
        "image": {"useDigest": False},
        "operator": {"image": {"useDigest": False}, "replicas": 1},
        "kubeProxyReplacement": "true",
        "k8sServiceHost": "198.18.10.10",
        "k8sServicePort": 6443,
        "l7Proxy": False,
    }
    objects = render(archive, values, work)
    found = {
        container["image"]
        for (kind, _), o in objects.items()
        if kind in {"DaemonSet", "Deployment"}
        for part in ("containers", "initContainers")
        for container in o["spec"]["template"]["spec"].get(part, [])
    }
    assert found == {
        "quay.io/cilium/cilium:v1.15.19",
        "quay.io/cilium/operator-generic:v1.15.19",
    }

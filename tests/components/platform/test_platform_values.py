"""The charts' values: whole, against the charts' own schemas, and rendered by the real helm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from components.host.text import merged
from components.platform.addon import Addon, Site, Values
from components.platform.addons import ADDONS, addons, ingress
from components.platform.delivery import DELIVERIES
from components.platform.ingress import CONTROLLERS, traefik
from components.platform.mesh import MESHES
from components.platform.verify import verify
from lab.software import charts, goitems, images
from settings.models import NodePorts, Platform
from settings.models.mesh import MESH_KINDS
from tests.components import stacks
from tests.components.platform.platform_args import plain, site
from tests.golden_files import GOLDEN, assert_golden

SCHEMAS = GOLDEN.parents[2] / "shared" / "data" / "charts"
OWN_TRAEFIK = GOLDEN.parents[1] / "lab" / "software" / "charts" / "traefik" / "values.schema.json"


def delivered(kind: str) -> Callable[[Site], Addon | None]:
    """What makes the delivery of that kind, whatever the stack chose."""

    def make(where: Site) -> Addon | None:
        given = where.settings.delivery
        return given and DELIVERIES[kind](given.model_copy(update={"kind": kind}))

    return make


def meshed(kind: str, key: str) -> Callable[[Site], Addon | None]:
    """What makes that chart of the mesh of that kind, whatever the stack chose."""

    def make(where: Site) -> Addon | None:
        given = where.settings.mesh
        if given is None:
            return None
        made: Addon = getattr(MESHES[kind], key)(where, given.model_copy(update={"kind": kind}))
        return made

    return make


MAKERS = {
    **{made.name: make for make in ADDONS if (made := make(site(plain()))) and made.chart},
    **{controller.name: controller.addon for controller in CONTROLLERS.values()},
    "argo-cd": delivered("argo-cd"),
    **{
        MESH_KINDS["linkerd"].charts[key]: meshed("linkerd", key)
        for key in MESH_KINDS["linkerd"].charts
    },
}
"""By the chart: what makes an addon of it. Read from the table of addons, with all of them on."""
NO_SCHEMA = {
    **dict.fromkeys(("contour", "haproxy"), "its chart has none"),
    **dict.fromkeys(("cilium", "cilium-ingress"), "its chart is not here: test_platform_cilium.py"),
    "kube-prometheus-stack": "its chart has none: test_platform_monitoring.py has its own values",
    **dict.fromkeys(("proxmox-csi-plugin", "flux2", "argo-cd"), "its chart has none"),
    "velero": "its chart's own is not beside the checkout",
    **dict.fromkeys(
        ("istio-base", "istio-cni", "linkerd-crds", "linkerd2-cni"),
        "its chart has none",
    ),
    **dict.fromkeys(
        ("istiod", "linkerd-control-plane"),
        "its chart has none: test_platform_mesh.py has its own values",
    ),
    "alloy": "its chart has none: test_platform_logging.py has its own values",
}
"""Charts whose values nothing but Helm judges here, and why."""
STACKS = {"plain": plain(), "lab": stacks.lab().platform}


def chosen(stack: Platform, chart: str) -> bool:
    """Whether the stack has it; the plain one stands for every controller."""
    others = {each.name for kind, each in CONTROLLERS.items() if kind != stack.ingress.kind}
    is_another = chart in others and stack is not STACKS["plain"]
    return not is_another and MAKERS[chart](site(stack)) is not None


HERE = [(name, chart) for name, stack in STACKS.items() for chart in MAKERS if chosen(stack, chart)]
"""Each stack with each chart that it has."""


def addon_of(chart: str, where: Site) -> Addon:
    made = MAKERS[chart](where)
    assert made is not None
    return made


def made_of(chart: str, where: Site) -> Values:
    """The values that Helm is given."""
    return addon_of(chart, where).chart_values


def yaml_of(document: Any) -> str:
    return yaml.dump(document, Dumper=_Plain, sort_keys=False)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def schema(path: Path) -> dict[str, Any]:
    if not path.is_file():
        pytest.skip(f"the schema {path.name} is not beside the checkout")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def local(judged_by: Any) -> Any:
    """A schema without what it refers to on other hosts (Kubernetes' own types), which is not
    fetched here: that much of it takes anything."""
    if isinstance(judged_by, dict):
        away = str(judged_by.get("$ref", "")).startswith("https://")
        return {key: local(each) for key, each in judged_by.items() if not (away and key == "$ref")}
    return [local(each) for each in judged_by] if isinstance(judged_by, list) else judged_by


def taken(made: Any, judged_by: dict[str, Any]) -> None:
    """Raises `ValidationError`. MetalLB writes draft 7's name with https, which nothing knows."""
    judged_by = local(judged_by)
    validator = jsonschema.validators.validator_for(
        {
            **judged_by,
            "$schema": judged_by["$schema"].replace(
                "https://json-schema.org/draft-0", "http://json-schema.org/draft-0"
            ),
        }
    )
    validator(judged_by).validate(made)


@pytest.mark.parametrize(("name", "chart"), HERE)
def test_values_are_the_golden_file(name: str, chart: str) -> None:
    assert_golden(f"platform/{name}/{chart}.yaml", yaml_of(made_of(chart, site(STACKS[name]))))


def test_what_has_no_schema_is_a_chart_here() -> None:
    assert set(NO_SCHEMA) <= set(MAKERS)


@pytest.mark.parametrize(("name", "chart"), [each for each in HERE if each[1] not in NO_SCHEMA])
def test_the_charts_own_schema_takes_the_values(name: str, chart: str) -> None:
    made = made_of(chart, site(STACKS[name]))
    if chart == "metallb":
        # Helm judges values laid over the chart's own, which have these.
        component = {"image": {}, "serviceAccount": {}}
        made = merged({"controller": component, "speaker": component}, made)
    judged_by = schema(SCHEMAS / f"{chart}.values.schema.json")
    if chart == "nginx-ingress":
        # The schema brings the chart's own values as its example.
        made = merged(judged_by["examples"][0], made)
    taken(made, judged_by)


def test_the_charts_schema_would_refuse_a_wrong_type() -> None:
    wrong = merged(traefik.values(site()), {"ports": {"web": {"nodePort": "thirty"}}})
    with pytest.raises(jsonschema.ValidationError, match="'thirty' is not of type"):
        taken(wrong, schema(SCHEMAS / "traefik.values.schema.json"))


def test_the_labs_traefik_chart_takes_the_values() -> None:
    taken(ingress(site()).chart_values, schema(OWN_TRAEFIK))


def rendered(chart: str, tmp_path: Path, where: Site | None = None) -> list[dict[str, Any]]:
    """What the real helm makes of the lab's values, or of another site's, with the lab's chart."""
    where = where or site()
    if not goitems.HELM.item.ready or not charts.item().ready:
        pytest.skip("helm or the charts are not built: python -m lab.software build")
    settings = addon_of(chart, where).chart
    assert settings is not None
    (tmp_path / "values.yaml").write_text(yaml_of(made_of(chart, where)))
    done = subprocess.run(
        [
            *(str(goitems.HELM.executable("helm")), "template", chart),
            str(charts.item().path / f"{chart}-{settings.version}.tgz"),
            *("--namespace", chart, "--values", str(tmp_path / "values.yaml")),
            *("--kube-version", "1.36.3"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def only(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [
        each for each in documents if each["kind"] == kind and each["metadata"]["name"] == name
    ]
    return found


def test_helm_makes_ciliums_configuration_of_the_values(tmp_path: Path) -> None:
    config = only(rendered("cilium", tmp_path), "ConfigMap", "cilium-config")["data"]
    wanted = {
        "kube-proxy-replacement": "true",
        "routing-mode": "native",
        "auto-direct-node-routes": "true",
        "ipv4-native-routing-cidr": "198.19.0.0/16",
        "ipam": "kubernetes",
        "devices": "eth1",
        "enable-bpf-masquerade": "true",
        "enable-l7-proxy": "false",
        "install-iptables-rules": "false",
        "cgroup-root": "/sys/fs/cgroup/unified",
    }
    assert {key: config.get(key) for key in wanted} == wanted
    assert "enable-hubble" not in config


def test_helm_points_ciliums_agent_at_the_balancers_api(tmp_path: Path) -> None:
    agent = only(rendered("cilium", tmp_path), "DaemonSet", "cilium")
    (container,) = [
        each
        for each in agent["spec"]["template"]["spec"]["containers"]
        if each["name"] == "cilium-agent"
    ]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert environment["KUBERNETES_SERVICE_HOST"] == "198.18.10.10"
    assert environment["KUBERNETES_SERVICE_PORT"] == "6443"
    assert container["securityContext"]["privileged"] is True
    assert "@" not in container["image"]


def test_helm_makes_metallb_without_frr_and_with_speakers_on_working_control_planes(
    tmp_path: Path,
) -> None:
    documents = rendered("metallb", tmp_path)
    speaker = only(documents, "DaemonSet", "metallb-speaker")["spec"]["template"]["spec"]
    assert [each["name"] for each in speaker["containers"]] == ["speaker"]
    assert "--ignore-exclude-lb" in " ".join(speaker["containers"][0]["args"])
    assert any(
        each.get("key") == "node-role.kubernetes.io/control-plane"
        for each in speaker["tolerations"]
    )


def test_helm_makes_traefiks_service_as_decided(tmp_path: Path) -> None:
    documents = rendered("traefik", tmp_path)
    service = only(documents, "Service", traefik.NAME)
    assert service["metadata"]["annotations"] == {"metallb.io/loadBalancerIPs": "198.18.10.200"}
    spec = service["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    assert spec["healthCheckNodePort"] == 30081
    assert {each["name"]: each["nodePort"] for each in spec["ports"]} == {
        "web": 30080,
        "websecure": 30443,
    }
    workload = only(documents, "DaemonSet", traefik.NAME)
    arguments = workload["spec"]["template"]["spec"]["containers"][0]["args"]
    for expected in (
        "--entryPoints.web.proxyProtocol.trustedIPs=198.18.10.11/32,198.18.10.12/32",
        "--entryPoints.web.forwardedHeaders.trustedIPs=198.18.10.11/32,198.18.10.12/32",
    ):
        assert expected in arguments


def test_helm_makes_so_many_traefiks_with_a_budget_and_a_service_of_every_node(
    tmp_path: Path,
) -> None:
    lab = stacks.lab().platform
    given = {"replicas": 3, "external_traffic_policy": "Cluster"}
    chosen = lab.model_copy(update={"ingress": lab.ingress.model_copy(update=given)})
    documents = rendered("traefik", tmp_path, site(chosen))
    workload = only(documents, "Deployment", traefik.NAME)["spec"]
    assert workload["replicas"] == 3
    labels = workload["template"]["metadata"]["labels"]
    (spread,) = workload["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
    budget = only(documents, "PodDisruptionBudget", traefik.NAME)["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    spec = only(documents, "Service", traefik.NAME)["spec"]
    assert spec["externalTrafficPolicy"] == "Cluster"
    assert "healthCheckNodePort" not in spec
    assert [each for each in documents if each["kind"] == "DaemonSet"] == []


def test_undecided_ports_and_addresses_are_left_to_the_cluster() -> None:
    undecided = plain().ingress.model_copy(
        update={"node_ports": NodePorts(http=None, https=None, health=None)}
    )
    made = made_of("traefik", site(plain().model_copy(update={"ingress": undecided})))
    assert "nodePort" not in made["ports"]["web"]
    assert "healthCheckNodePort" not in made["service"]["spec"]
    assert made["service"]["annotations"] == {}


def test_speakers_leave_control_planes_out_unless_they_work() -> None:
    assert (
        made_of("metallb", site(control_planes_work=False))["speaker"]["ignoreExcludeLB"] is False
    )
    assert made_of("metallb", site(control_planes_work=True))["speaker"]["ignoreExcludeLB"] is True


@pytest.mark.parametrize(("nodes", "replicas"), [(1, 1), (2, 2), (5, 2)])
def test_cilium_has_no_more_operators_than_nodes(nodes: int, replicas: int) -> None:
    assert made_of("cilium", site(node_count=nodes))["operator"]["replicas"] == replicas


def test_the_stacks_own_values_win() -> None:
    chart = plain().cilium.model_copy(update={"values": {"bpf": {"masquerade": False}}})
    made = made_of("cilium", site(plain().model_copy(update={"cilium": chart})))
    assert made["bpf"] == {"masquerade": False}
    assert made["kubeProxyReplacement"] is True


@pytest.mark.parametrize("every_node", [True, False])
def test_the_platforms_own_objects_are_the_golden_file(every_node: bool) -> None:
    shown = stacks.lab().platform.demo
    assert shown is not None
    shown = shown.model_copy(update={"every_node": every_node})
    platform = stacks.lab().platform.model_copy(update={"demo": shown})
    documents = [each for addon in addons(site(platform)) for each in addon.objects.values()]
    name = "every-node" if every_node else "replicas"
    assert_golden(f"platform/objects-{name}.yaml", "---\n".join(map(yaml_of, documents)))


def test_the_objects_of_every_chart_are_the_golden_file() -> None:
    everything = {
        name: [*addon.objects.values()]
        for name in MAKERS
        if (addon := addon_of(name, site(plain()))).objects
    }
    for name, documents in everything.items():
        assert_golden(f"platform/plain/{name}-objects.yaml", "---\n".join(map(yaml_of, documents)))


def test_the_lab_stack_names_the_demonstration_image_the_lab_builds() -> None:
    shown = stacks.lab().platform.demo
    assert shown is not None
    assert shown.image == images.ECHO.reference, "write the new tag into Pulumi.lab.yaml"


def test_the_lab_stack_names_the_charts_the_lab_serves() -> None:
    platform = stacks.lab().platform
    named = {
        each.chart: each.version
        for each in (platform.cilium, platform.metallb.chart, platform.ingress.chart)
        if each is not None
    }
    assert named == charts.CHARTS


def test_the_shipped_lab_makes_sense() -> None:
    assert verify(site()) == []


def test_a_platform_without_balancers_is_refused() -> None:
    (problem,) = verify(site(trusted=[]))
    assert problem == "the platform knows no balancer: nobody's PROXY header would be believed"


def test_a_control_plane_without_a_lan_leg_is_refused() -> None:
    (problem,) = verify(site(lan_interface=""))
    assert problem == "the control plane has no LAN leg: services would be served nowhere"

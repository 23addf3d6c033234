"""The mesh: who is in it, who gets in to it, and what the pod network does for it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
import yaml

from components.platform import cilium
from components.platform.addon import Addon, Site
from components.platform.addons import addons, in_order
from components.platform.ingress import CONTROLLERS
from components.platform.mesh import MESHES
from settings.checks.platform_mesh import KEYS, MESH
from settings.models import Platform
from settings.models.mesh import MESH_KINDS
from tests.components import stacks
from tests.components.platform.platform_args import plain, site
from tests.components.platform.test_platform_monitoring import foreign
from tests.components.platform.test_platform_values import SCHEMAS

NODES = IPv4Address("198.18.10.31")


def platform(kind: str, *namespaces: str) -> Platform:
    """The plain platform with the demonstration, in a mesh."""
    given = plain().mesh
    assert given is not None
    chosen = given.model_copy(update={"kind": kind, "namespaces": list(namespaces or ("echo",))})
    return plain().model_copy(update={"mesh": chosen, "demo": stacks.lab().platform.demo})


def where(kind: str, *namespaces: str) -> Site:
    return site(platform(kind, *namespaces), services=stacks.with_services().services)


def made(kind: str, *namespaces: str) -> dict[str, Addon]:
    return {each.name: each for each in addons(where(kind, *namespaces))}


each_kind = pytest.mark.parametrize("kind", sorted(MESHES))


def test_every_kind_has_rules_for_each_of_its_charts() -> None:
    assert set(MESH) == set(KEYS) == set(MESHES)
    for kind, traits in MESH_KINDS.items():
        assert set(MESH[kind]) == set(KEYS[kind]) == set(traits.charts)


@each_kind
def test_the_chart_is_handed_keys_that_it_has_and_the_rules_know_them(kind: str) -> None:
    row, given = MESHES[kind], platform(kind).mesh
    assert given is not None
    for key, maker in (("crds", row.crds), ("cni", row.cni), ("control_plane", row.control_plane)):
        assert set(maker(where(kind), given).values) <= set(KEYS[kind][key].split())


@pytest.mark.parametrize(
    ("kind", "file", "below"),
    [
        ("istio", "istiod.values.yaml", "_internal_defaults_do_not_set"),
        ("linkerd", "linkerd-control-plane.values.yaml", None),
    ],
)
def test_every_value_of_the_control_plane_is_one_of_its_chart(
    kind: str, file: str, below: str | None
) -> None:
    if not (SCHEMAS / file).is_file():
        pytest.skip(f"{file} is not beside the checkout")
    own = yaml.safe_load((SCHEMAS / file).read_text(encoding="utf-8"))
    own = own if below is None else own[below]
    assert set(own) <= set(KEYS[kind]["control_plane"].split())
    addon = made(kind)[MESH_KINDS[kind].charts["control_plane"]]
    assert list(foreign(addon.values, own)) == []
    assert list(foreign({**addon.values, "cniEnable": True}, own)) == [
        "cniEnable is no value of the chart"
    ]


@each_kind
def test_a_namespace_of_the_mesh_is_labelled_and_its_pods_wait_for_their_proxies(kind: str) -> None:
    row, found = MESHES[kind], made(kind, "echo", "shop")
    plane = row.control_plane(where(kind), platform(kind).mesh).name  # type: ignore[arg-type]
    for name in ("echo", "shop"):
        told = found[name].namespace_object()["metadata"]
        assert told["labels"].items() >= row.labels.items()
        assert told.get("annotations", {}) == row.annotations
        assert plane in found[name].after
    other = found["metallb"].namespace_object()["metadata"]
    assert not row.labels.keys() & other["labels"].keys()
    assert "annotations" not in other
    assert plane not in found["metallb"].after
    order = [each.name for each in in_order(found.values())]
    assert order.index(plane) < order.index("shop")


@each_kind
@pytest.mark.parametrize("controller", sorted(CONTROLLERS))
def test_the_ingress_sees_who_connects_to_it(kind: str, controller: str) -> None:
    chosen = platform(kind)
    ingress = chosen.ingress.model_copy(update={"kind": controller})
    platformed = chosen.model_copy(update={"ingress": ingress})
    (found,) = [
        each for each in addons(site(platformed)) if each.name == CONTROLLERS[controller].name
    ]
    told = found.namespace_object()["metadata"].get("annotations", {})
    if MESH_KINDS[kind].joins:
        assert told["config.linkerd.io/skip-inbound-ports"] == "1-65535"
    else:
        assert told == {}
    assert "istio-injection" not in found.namespace_object()["metadata"]["labels"]


def test_istio_takes_mutual_tls_alone_but_for_the_port_that_the_ingress_asks() -> None:
    found = made("istio", "echo", "shop")
    (strict,) = found["istiod"].objects.values()
    assert strict["metadata"] == {"name": "default", "namespace": "istio-system"}
    assert strict["spec"] == {"mtls": {"mode": "STRICT"}}
    entrances = {
        each["metadata"]["namespace"]: each["spec"]
        for each in found["mesh-entrances"].objects.values()
    }
    assert set(entrances) == {"echo", "shop"}
    pods = found["shop"].objects["shop-pods"]["spec"]["template"]
    (container,) = pods["spec"]["containers"]
    (port,) = container["ports"]
    labels = entrances["shop"]["selector"]["matchLabels"]
    assert labels.items() <= pods["metadata"]["labels"].items()
    assert entrances["shop"]["portLevelMtls"] == {
        str(port["containerPort"]): {"mode": "PERMISSIVE"}
    }
    assert entrances["shop"]["mtls"] == {"mode": "STRICT"}
    assert {"echo", "shop"} <= set(found["mesh-entrances"].after)


def test_linkerd_takes_mutual_tls_alone_and_the_ingress_speaks_it() -> None:
    found = made("linkerd")
    proxy = found["linkerd-control-plane"].values["proxy"]
    assert proxy["defaultInboundPolicy"] == "all-authenticated"
    assert "mesh-entrances" not in found
    assert "linkerd-control-plane" in found["traefik"].after


@each_kind
def test_cilium_lets_the_mesh_into_the_pods_network_and_chooses_no_pod_for_it(kind: str) -> None:
    values = cilium.addon(where(kind)).values
    assert values["cni"] == {"exclusive": False}
    assert values["socketLB"] == {"hostNamespaceOnly": True}


def test_a_stack_without_a_mesh_is_as_it_was() -> None:
    lab = stacks.lab().platform
    assert not {"cni", "socketLB"} & cilium.addon(site(lab)).values.keys()
    names = {each.name for each in addons(site(lab))}
    assert not names & {name for kind in MESH_KINDS.values() for name in kind.charts.values()}


def test_linkerds_authority_is_the_stacks_and_its_key_in_no_value() -> None:
    addon = made("linkerd")["linkerd-control-plane"]
    assert addon.identity is not None
    assert addon.values["identity"] == {
        "externalCA": True,
        "issuer": {"scheme": "kubernetes.io/tls"},
    }
    assert "identityTrustAnchorsPEM" not in addon.values
    assert made("istio")["istiod"].identity is None


def test_an_addon_outside_is_not_touched() -> None:
    given = where("istio")
    untouched = replace(given, settings=given.settings.model_copy(update={"mesh": None}))
    before = {each.name: each for each in addons(untouched)}
    after = {each.name: each for each in addons(given)}
    same = [name for name in before if before[name] == after[name]]
    assert set(before) - set(same) == {"cilium", "echo"}

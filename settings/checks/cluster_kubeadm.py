"""What a stack adds to kubeadm's ClusterConfiguration (kubeadm.k8s.io/v1beta4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, undone
from settings.checks.registry import reads
from settings.models.addresses import is_any_address
from settings.models.cluster import API_SERVER_PORT
from settings.models.stack import Stack
from settings.models.walk import mapping
from settings.problems import ABSENT, Problem, problem
from settings.words import nearest

_KEYS: Final = (
    *("apiVersion", "kind", "etcd", "networking", "kubernetesVersion", "controlPlaneEndpoint"),
    *("apiServer", "controllerManager", "scheduler", "dns", "proxy", "certificatesDir"),
    *("imageRepository", "featureGates", "clusterName", "encryptionAlgorithm"),
    *("certificateValidityPeriod", "caCertificateValidityPeriod"),
)
_MAPPINGS: Final = (
    *("apiServer", "controllerManager", "dns", "etcd", "featureGates", "scheduler"),
)
_TEXTS: Final = (
    *("caCertificateValidityPeriod", "certificateValidityPeriod", "encryptionAlgorithm"),
    "imageRepository",
)
_TYPES: Final = {
    **dict.fromkeys(_MAPPINGS, (dict, "a mapping")),
    **dict.fromkeys(_TEXTS, (str, "text")),
}
_OURS = "is decided by the program"
_SAID = "remove it: networks, balancers and cluster say it"
_DECIDED: Final = (
    Decided(keys=("apiVersion",), why=_OURS),
    Decided(keys=("kind",), why=_OURS),
    Decided(keys=("clusterName",), why=_OURS, right=_SAID),
    Decided(keys=("controlPlaneEndpoint",), why=_OURS, right=_SAID),
    Decided(keys=("kubernetesVersion",), why=_OURS, right=_SAID),
    Decided(keys=("networking",), why=_OURS, right=_SAID),
    Decided(
        keys=("proxy", "disabled"),
        why="brings kube-proxy back, beside Cilium in its place",
        allowed=lambda given: given is True,
        right="remove it or write true",
    ),
    Decided(keys=("certificatesDir",), why="is where nothing else looks for the certificates"),
    Decided(keys=("etcd", "external"), why="is not supported: control planes are etcd's members"),
)
_COMPONENTS: Final = (
    ("apiServer",),
    ("controllerManager",),
    ("scheduler",),
    ("etcd", "local"),
)
"""Whatever takes extraArgs."""

_FLAGS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "apiServer": {
        "advertise-address": (),
        "allow-privileged": ("true",),
        "anonymous-auth": ("true",),
        "authorization-mode": ("Node,RBAC", "RBAC,Node"),
        "bind-address": ("0.0.0.0",),  # noqa: S104 (the default)
        "etcd-servers": (),
        "secure-port": (str(API_SERVER_PORT),),
        "service-cluster-ip-range": (),
        "service-node-port-range": ("30000-32767",),
    },
    "controllerManager": {
        "allocate-node-cidrs": ("true",),
        "cluster-cidr": (),
        "service-cluster-ip-range": (),
    },
}
"""Flags with what a stack may say of them."""
_WHY: Final = {
    "anonymous-auth": "closes /readyz to the balancers, and cluster-info to joining nodes",
    "authorization-mode": "leaves nodes or roles without their rights, or everybody with all",
    "allow-privileged": "keeps Cilium and MetalLB from starting",
}
_NEEDED: Final = {
    ("apiServer", "enable-admission-plugins"): ("NodeRestriction",),
    ("controllerManager", "controllers"): ("bootstrapsigner", "tokencleaner"),
}
"""What kubeadm puts among a flag's values, and given ones must keep."""
_REMOVED: Final = ("basic-auth-file", "insecure-bind-address", "insecure-port", "kubelet-https")
_MASK = "node-cidr-mask-size"
_NAME = re.compile(
    r"(?=.{1,253}$)(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)
"""A DNS-1123 subdomain, perhaps a wildcard: what kubeadm takes for a name."""


@reads("cluster")
def kubeadm_is_added_to(stack: Stack) -> Iterator[Problem]:
    """Keys that kubeadm knows; none that undoes what the program writes."""
    path, given = "cluster.cluster_configuration", stack.cluster.cluster_configuration
    for key in given:
        if key not in _KEYS:
            yield problem(
                f"{path}.{key}", ABSENT, "is no key of ClusterConfiguration", nearest(key, _KEYS)
            )
    whole = dict(given)
    for key, (kind, words) in _TYPES.items():
        if key in given and not isinstance(given[key], kind):
            shown = ABSENT if isinstance(whole.pop(key), list | dict) else given[key]
            yield problem(f"{path}.{key}", shown, f"is not {words} to kubeadm", f"write {words}")
    yield from undone(path, whole, _DECIDED)


@reads("cluster")
def kubeadms_flags_are_a_list(stack: Stack) -> Iterator[Problem]:
    """extraArgs are a list of names and values since v1beta4; they are joined with ours by name."""
    mask = str(stack.cluster.node_mask)
    for keys in _COMPONENTS:
        path = ".".join(("cluster.cluster_configuration", *keys))
        held = mapping(stack.cluster.cluster_configuration, *keys)
        if "extraArgs" not in held:
            continue
        given, path = held["extraArgs"], f"{path}.extraArgs"
        if not isinstance(given, list):
            yield problem(
                path,
                ABSENT,
                "is no list, as it is since v1beta4",
                'write [{ name: FLAG, value: "TEXT" }]',
            )
            continue
        for index, each in enumerate(given):
            here = f"{path}[{index}]"
            if (malformed := _malformed(each)) is not None:
                yield problem(here, *malformed)
                continue
            name, value = each["name"], each["value"]
            yield from _flag(keys[0], here, name, value)
            if keys == ("controllerManager",) and name.startswith(_MASK) and value != mask:
                wrong = f"is not cluster.node_mask ({mask})"
                yield problem(here, f"{name}={value}", wrong, "say it there")


@reads("cluster")
def the_apis_names_are_names(stack: Stack) -> Iterator[Problem]:
    """certSANs are joined with ours: host names and addresses, as kubeadm takes them."""
    path = "cluster.cluster_configuration.apiServer.certSANs"
    given = mapping(stack.cluster.cluster_configuration, "apiServer").get("certSANs", [])
    if not isinstance(given, list):
        yield problem(path, ABSENT, "is no list", "write [NAME, ADDRESS]")
        return
    for index, each in enumerate(given):
        if not isinstance(each, str) or not (_NAME.fullmatch(each) or is_any_address(each)):
            shown = ABSENT if isinstance(each, dict | list) else each
            right = "write one such as api.example.org"
            yield problem(f"{path}[{index}]", shown, "is no host name and no address", right)


def _malformed(each: Any) -> tuple[object, str, str] | None:
    right = 'write { name: FLAG, value: "TEXT" }'
    if not isinstance(each, Mapping) or not {"name", "value"} >= set(each) >= {"name"}:
        return ABSENT, "is no flag with a name and a value", right
    if not isinstance(each["name"], str) or not each["name"]:
        return each["name"], "is no name of a flag", right
    if each["name"].startswith("-"):
        return each["name"], "has dashes", f"write {each['name'].lstrip('-')}"
    if not isinstance(each.get("value"), str):
        return each.get("value"), "is not text", "put the flag's value in quotes"
    return None


def _flag(component: str, path: str, name: str, value: str) -> Iterator[Problem]:
    shown = f"{name}={value}"
    allowed = _FLAGS.get(component, {}).get(name)
    if name in _REMOVED:
        yield problem(path, shown, "is a flag that is gone: the component stops at it", "remove it")
    elif allowed is not None and value not in allowed:
        why = _WHY.get(name, "is decided by the program")
        yield problem(path, shown, why, "remove it")
    for needed in _NEEDED.get((component, name), ()):
        if needed not in value.split(","):
            yield problem(path, shown, f"takes {needed} away", f"write {needed},{value}")

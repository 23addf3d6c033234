"""Further charts: releases beside the program's own, in namespaces of theirs, in an order that can
be kept, without a secret in clear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from settings.checks.platform_values import likely_secrets
from settings.checks.registry import reads
from settings.models.platform import Platform
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem


@dataclass(frozen=True, kw_only=True)
class Own:
    """A release of the program's own, or objects under a name: its namespace, the key that decides
    about it, and whether a platform has it."""

    namespace: str
    key: str
    on: Callable[[Platform], bool] = lambda _: True


def _ingress(kind: str, namespace: str) -> Own:
    return Own(
        namespace=namespace,
        key="platform.ingress",
        on=lambda platform: platform.ingress.kind == kind,
    )


def _delivery(kind: str, namespace: str) -> Own:
    return Own(
        namespace=namespace,
        key="platform.delivery",
        on=lambda platform: platform.delivery is not None and platform.delivery.kind == kind,
    )


def _mesh(kind: str, namespace: str) -> Own:
    return Own(
        namespace=namespace,
        key="platform.mesh",
        on=lambda platform: platform.mesh is not None and platform.mesh.kind == kind,
    )


OWN: Final[Mapping[str, Own]] = {
    "cilium": Own(namespace="kube-system", key="platform.cilium"),
    "metallb": Own(namespace="metallb-system", key="platform.metallb"),
    "traefik": _ingress("traefik", "traefik"),
    "cilium-ingress": _ingress("cilium", "kube-system"),
    "contour": _ingress("contour", "contour"),
    "haproxy": _ingress("haproxy", "haproxy"),
    "nginx-ingress": _ingress("nginx", "nginx-ingress"),
    "cert-manager": Own(
        namespace="cert-manager",
        key="platform.cert_manager",
        on=lambda platform: platform.cert_manager is not None,
    ),
    "kube-prometheus-stack": Own(
        namespace="monitoring",
        key="platform.monitoring",
        on=lambda platform: platform.monitoring is not None,
    ),
    "loki": Own(
        namespace="loki",
        key="platform.logging",
        on=lambda platform: platform.logging is not None,
    ),
    "alloy": Own(
        namespace="alloy",
        key="platform.logging",
        on=lambda platform: platform.logging is not None,
    ),
    "proxmox-csi-plugin": Own(
        namespace="csi-proxmox",
        key="platform.storage",
        on=lambda platform: platform.storage is not None,
    ),
    "flux2": _delivery("flux", "flux-system"),
    "argo-cd": _delivery("argo-cd", "argocd"),
    "velero": Own(
        namespace="velero",
        key="platform.velero",
        on=lambda platform: platform.velero is not None,
    ),
    "istio-base": _mesh("istio", "istio-system"),
    "istio-cni": _mesh("istio", "istio-system"),
    "istiod": _mesh("istio", "istio-system"),
    "mesh-entrances": _mesh("istio", "istio-system"),
    "linkerd-crds": _mesh("linkerd", "linkerd"),
    "linkerd2-cni": _mesh("linkerd", "linkerd-cni"),
    "linkerd-control-plane": _mesh("linkerd", "linkerd"),
    "echo": Own(
        namespace="echo",
        key="platform.demo",
        on=lambda platform: platform.demo is not None and platform.demo.enabled,
    ),
}
"""Every addon by its name; no further chart takes one, also where the stack does without it."""
KUBERNETES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")


@reads("platform")
def further_charts_are_beside_ours(stack: Stack) -> Iterator[Problem]:
    """A release of that name is one release, and a namespace has one level of pod security."""
    seen: dict[str, int] = {}
    levels: dict[str, tuple[int, str]] = {}
    namespaces = {own.namespace: own.key for own in OWN.values()}
    for index, chart in enumerate(stack.platform.charts):
        here = f"platform.charts[{index}]"
        if chart.name in OWN:
            wrong = f"is the name of the program's own release ({OWN[chart.name].key})"
            yield problem(f"{here}.name", chart.name, wrong, "choose another name")
        elif seen.setdefault(chart.name, index) != index:
            wrong = f"is platform.charts[{seen[chart.name]}] already"
            yield problem(f"{here}.name", chart.name, wrong, "choose another name")
        if chart.namespace in KUBERNETES:
            wrong, right = "is Kubernetes' own namespace", "write one that is made for the chart"
            yield problem(f"{here}.namespace", chart.namespace, wrong, right)
        elif chart.namespace in namespaces:
            wrong = f"is the namespace of {namespaces[chart.namespace]}"
            yield problem(f"{here}.namespace", chart.namespace, wrong, "choose another")
        first, level = levels.setdefault(chart.namespace, (index, chart.pod_security))
        if level != chart.pod_security:
            yield problem(
                f"{here}.pod_security",
                chart.pod_security,
                f"is not what platform.charts[{first}] says of the same namespace ({level})",
                "write the same, or choose another namespace",
            )


@reads("platform")
def further_charts_have_an_order(stack: Stack) -> Iterator[Problem]:
    """What one waits for is there, and does not wait for it."""
    platform = stack.platform
    there = {name for name, own in OWN.items() if own.on(platform)}
    waits = {chart.name: set(chart.after) for chart in platform.charts}
    for index, chart in enumerate(platform.charts):
        for place, name in enumerate(chart.after):
            here = f"platform.charts[{index}].after[{place}]"
            if name not in there and name not in waits:
                known = ", ".join(sorted(there | (set(waits) - {chart.name})))
                yield problem(here, name, "is installed by nobody", f"write one of {known}")
            elif chart.name in _awaited(name, waits):
                wrong = f"waits for {chart.name} itself: neither would ever start"
                yield problem(here, name, wrong, "remove one of the two")


def _awaited(name: str, waits: Mapping[str, set[str]]) -> set[str]:
    """That one, and all that it waits for."""
    found: set[str] = set()
    left = {name}
    while left:
        found |= left
        left = {each for one in left for each in waits.get(one, set())} - found
    return found


@reads("platform")
def further_charts_have_their_secrets_once(stack: Stack) -> Iterator[Problem]:
    """A Secret has one owner."""
    seen: dict[tuple[str, str], str] = {}
    for index, chart in enumerate(stack.platform.charts):
        for place, secret in enumerate(chart.secrets):
            here = f"platform.charts[{index}].secrets[{place}].name"
            earlier = seen.setdefault((chart.namespace, secret.name), here)
            if earlier != here:
                wrong = f"is {earlier} already, in the same namespace"
                yield problem(here, secret.name, wrong, "choose another name, or refer to that one")
            for number, key in enumerate(secret.keys):
                if key in secret.keys[:number]:
                    where = f"platform.charts[{index}].secrets[{place}].keys[{number}]"
                    yield problem(where, key, "is a key of this Secret twice", "name it once")


@reads("platform")
def further_charts_name_their_secrets(stack: Stack) -> Iterator[Problem]:
    """Values stand in the stack file and in the release, in clear: a Secret's name may."""
    for index, chart in enumerate(stack.platform.charts):
        for here in likely_secrets(f"platform.charts[{index}].values", chart.values):
            yield problem(
                here,
                ABSENT,
                "reads like a secret, in clear text",
                f"name a Secret in platform.charts[{index}].secrets, let the chart read that one, "
                "and put its value into the secret platformSecrets",
            )

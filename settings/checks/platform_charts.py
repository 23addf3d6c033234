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


def _of(section: str, namespace: str, kind: str | None = None) -> Own:
    """What comes with a section of the platform, or with one kind of it."""

    def there(platform: Platform) -> bool:
        given = getattr(platform, section)
        return given is not None and (kind is None or given.kind == kind)

    return Own(namespace=namespace, key=f"platform.{section}", on=there)


OWN: Final[Mapping[str, Own]] = {
    "cilium": Own(namespace="kube-system", key="platform.cilium"),
    "metallb": Own(namespace="metallb-system", key="platform.metallb"),
    "traefik": _of("ingress", "traefik", "traefik"),
    "cilium-ingress": _of("ingress", "kube-system", "cilium"),
    "contour": _of("ingress", "contour", "contour"),
    "haproxy": _of("ingress", "haproxy", "haproxy"),
    "nginx-ingress": _of("ingress", "nginx-ingress", "nginx"),
    "cert-manager": _of("cert_manager", "cert-manager"),
    "kube-prometheus-stack": _of("monitoring", "monitoring"),
    "loki": _of("logging", "loki"),
    "alloy": _of("logging", "alloy"),
    "proxmox-csi-plugin": _of("storage", "csi-proxmox"),
    "flux2": _of("delivery", "flux-system", "flux"),
    "argo-cd": _of("delivery", "argocd", "argo-cd"),
    "velero": _of("velero", "velero"),
    "istio-base": _of("mesh", "istio-system", "istio"),
    "istio-cni": _of("mesh", "istio-system", "istio"),
    "istiod": _of("mesh", "istio-system", "istio"),
    "mesh-entrances": _of("mesh", "istio-system", "istio"),
    "linkerd-crds": _of("mesh", "linkerd", "linkerd"),
    "linkerd2-cni": _of("mesh", "linkerd-cni", "linkerd"),
    "linkerd-control-plane": _of("mesh", "linkerd", "linkerd"),
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

"""Charts where they belong: each under the key that its values are made for, out of a repository
that has it, with values that it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.registry import reads
from settings.models.charts import Chart
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem

_OWN: Final = {
    "platform.cilium": "cilium",
    "platform.metallb.chart": "metallb",
    "platform.cert_manager.chart": "cert-manager",
    "platform.monitoring.chart": "kube-prometheus-stack",
    "platform.logging.loki": "loki",
    "platform.logging.alloy": "alloy",
    "platform.storage.chart": "proxmox-csi-plugin",
    "platform.velero.chart": "velero",
}
"""What is called so upstream, by its key; a copy of it under another name is taken as it is."""
_OTHERS: Final = {
    **{chart: key for key, chart in _OWN.items()},
    **dict.fromkeys(
        ("traefik", "nginx-ingress", "kubernetes-ingress", "contour"), "platform.ingress.chart"
    ),
    **dict.fromkeys(("flux2", "argo-cd"), "platform.delivery.chart"),
}
_NETWORKS: Final = ("calico", "canal", "flannel", "kube-router", "tigera-operator", "weave-net")
_REPOSITORIES: Final = {
    "helm.cilium.io": "cilium",
    "metallb.github.io/metallb": "metallb",
    "charts.jetstack.io": "cert-manager",
    "traefik.github.io/charts": "traefik",
    "vmware-tanzu.github.io/helm-charts": "velero",
}
"""Repositories of one project, whose chart is the one that is named here."""


@reads("platform")
def charts_stand_under_their_keys(stack: Stack) -> Iterator[Problem]:
    """The program's values are for one chart; another one overlooks them."""
    for path, chart in walk(stack, Chart):
        own, name = _OWN.get(path), chart.last_word
        if own is None or name == own:
            continue
        if name in _OTHERS:
            wrong = f"is the chart of {_OTHERS[name]}"
            yield problem(f"{path}.chart", chart.chart, wrong, f"write {own}")
        elif name in _NETWORKS:
            wrong = "is another network of pods, and the chain stands on Cilium's"
            yield problem(f"{path}.chart", chart.chart, wrong, f"write {own}")


@reads("platform")
def repositories_have_their_charts(stack: Stack) -> Iterator[Problem]:
    """A repository of one project has no chart of another's."""
    known = set(_REPOSITORIES.values())
    for path, chart in walk(stack, Chart):
        place = re.sub("^https?://", "", chart.repository or "").rstrip("/")
        there = _REPOSITORIES.get(place)
        if there is not None and there != chart.chart and chart.chart in known:
            right = next(each for each, has in _REPOSITORIES.items() if has == chart.chart)
            yield problem(
                f"{path}.repository",
                chart.repository,
                f"is where {there} is, and {chart.chart} is not",
                f"write https://{right}",
            )


@reads("platform")
def values_are_nested(stack: Stack) -> Iterator[Problem]:
    """What `--set` writes with dots is a mapping in a mapping in YAML; a key with dots is one that
    no chart has, and overlooked."""
    for path, chart in walk(stack, Chart):
        for key in chart.values:
            first, dot, rest = str(key).partition(".")
            if dot and re.fullmatch(r"[A-Za-z0-9_-]+", first) and rest:
                yield problem(
                    f"{path}.values.{key}",
                    ABSENT,
                    "is one key with dots in it, which the chart would overlook",
                    f"write {_nested(str(key).split('.'))}",
                )


def _nested(steps: list[str]) -> str:
    return f"{steps[0]}: {{ {_nested(steps[1:])} }}" if len(steps) > 1 else f"{steps[0]}: ..."


@reads("networks", "platform")
def packets_of_pods_fit_the_lan(stack: Stack) -> Iterator[Problem]:
    """Pods are routed natively: what they send goes over the LAN as it is."""
    lan = stack.networks.lan.mtu
    values: Mapping[str, Any] = stack.platform.cilium.values
    given = values.get("MTU")
    if isinstance(given, int) and not isinstance(given, bool) and given > lan:
        yield problem(
            "platform.cilium.values.MTU",
            given,
            f"is more than networks.lan.mtu ({lan}): larger packets would be lost",
            "remove it: Cilium takes the LAN's",
        )

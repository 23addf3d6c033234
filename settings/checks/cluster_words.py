"""What a stack says to kubeadm and the kubelets: values that they read, and that fit each other.

Sources: kubeadm.k8s.io/v1beta4 and kubelet.config.k8s.io/v1beta1 (kubernetes.io, reference), and
the kubelet's own validation of its configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.kubernetes_words import duration, quantity
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.models.walk import mapping
from settings.problems import ABSENT, Problem, problem

_KUBEADM: Final = "cluster.cluster_configuration"
_KUBELET: Final = "cluster.kubelet.config"
_ALGORITHMS: Final = ("RSA-2048", "RSA-3072", "RSA-4096", "ECDSA-P256", "ECDSA-P384")
_LIFETIMES: Final = ("certificateValidityPeriod", "caCertificateValidityPeriod")
_DURATIONS: Final = (
    *("syncFrequency", "fileCheckFrequency", "httpCheckFrequency", "runtimeRequestTimeout"),
    *("streamingConnectionIdleTimeout", "nodeStatusUpdateFrequency", "nodeStatusReportFrequency"),
    *("imageMinimumGCAge", "imageMaximumGCAge", "volumeStatsAggPeriod", "cpuCFSQuotaPeriod"),
    *("cpuManagerReconcilePeriod", "evictionPressureTransitionPeriod"),
    *("containerLogMonitorInterval", "shutdownGracePeriod", "shutdownGracePeriodCriticalPods"),
)
_AMOUNTS: Final = ("evictionHard", "evictionSoft", "evictionMinimumReclaim")
_RESERVED: Final = ("systemReserved", "kubeReserved")
_HIGH, _LOW = "imageGCHighThresholdPercent", "imageGCLowThresholdPercent"
_GRACE, _CRITICAL = "shutdownGracePeriod", "shutdownGracePeriodCriticalPods"
_DEFAULTS: Final = {_HIGH: 85, _LOW: 80}
_MIB: Final = 1024 * 1024


@reads("cluster")
def kubeadm_reads_the_values(stack: Stack) -> Iterator[Problem]:
    """Else it stops, after the machines are made."""
    given = stack.cluster.cluster_configuration
    for name, value in mapping(given, "featureGates").items():
        if not isinstance(value, bool):
            path, wrong = f"{_KUBEADM}.featureGates.{name}", "is not true or false to kubeadm"
            yield problem(path, _shown(value), wrong, "write true or false without quotes")
    repository = given.get("imageRepository")
    if isinstance(repository, str) and ("://" in repository or repository.endswith("/")):
        meant = re.sub("^[a-z]+://", "", repository).strip("/")
        wrong = "is a URL, and images are named by host and path"
        yield problem(f"{_KUBEADM}.imageRepository", repository, wrong, f"write {meant}")
    for key in _LIFETIMES:
        text = given.get(key)
        if isinstance(text, str) and duration(text) is None:
            right = "write hours, such as 8760h"
            yield problem(f"{_KUBEADM}.{key}", text, "is no duration to kubeadm", right)
    algorithm = given.get("encryptionAlgorithm")
    if isinstance(algorithm, str) and algorithm not in _ALGORITHMS:
        path, wrong = f"{_KUBEADM}.encryptionAlgorithm", "is no algorithm of kubeadm's"
        yield problem(path, algorithm, wrong, f"write one of {', '.join(_ALGORITHMS)}")


@reads("cluster")
def kubelets_read_the_values(stack: Stack) -> Iterator[Problem]:
    """Durations and amounts are text that says its unit."""
    given = stack.cluster.kubelet.config
    for key in _DURATIONS:
        text = given.get(key)
        if isinstance(text, str) and duration(text) is None:
            wrong, right = "is no duration to the kubelet", "write one such as 10s, 5m or 1h"
            yield problem(f"{_KUBELET}.{key}", text, wrong, right)
    for key in (*_AMOUNTS, *_RESERVED):
        for name, value in mapping(given, key).items():
            share = key in _AMOUNTS and re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?%", str(value))
            if isinstance(value, str) and (share or quantity(value) is not None):
                continue
            wrong = "is no amount to the kubelet"
            right = f"write text such as {'200Mi or 5%' if key in _AMOUNTS else '512Mi'}, in quotes"
            yield problem(f"{_KUBELET}.{key}.{name}", _shown(value), wrong, right)


@reads("cluster")
def kubelets_values_fit_each_other(stack: Stack) -> Iterator[Problem]:
    """As the kubelet judges them itself, when it starts."""
    given = stack.cluster.kubelet.config
    high, low = (_number(given, key) for key in (_HIGH, _LOW))
    if high is not None and low is not None and low >= high:
        named = _LOW if _LOW in given else _HIGH
        yield problem(
            f"{_KUBELET}.{named}",
            given[named],
            f"leaves {_LOW} ({low}) no less than {_HIGH} ({high})",
            "write the high one above the low one",
        )
    whole, part = (duration(str(given.get(key, "0"))) for key in (_GRACE, _CRITICAL))
    if whole is not None and part is not None and part > whole:
        yield problem(
            f"{_KUBELET}.{_CRITICAL}",
            given[_CRITICAL],
            f"is a part of {_GRACE} ({given.get(_GRACE, '0s')}), and longer",
            f"write less, or a longer {_GRACE}",
        )


@reads("cluster")
def what_is_kept_back_leaves_nodes_something(stack: Stack) -> Iterator[Problem]:
    """What is reserved for the system is taken off what pods may have."""
    given = stack.cluster.kubelet.config
    kept = {key: quantity(str(mapping(given, key).get("memory", "0"))) for key in _RESERVED}
    needed = sum(each or 0 for each in kept.values()) / _MIB
    nodes = [*stack.cluster.control_planes, *stack.cluster.workers]
    smallest = min(nodes, key=lambda node: node.memory)
    if needed >= smallest.memory:
        key = max(kept, key=lambda key: kept[key] or 0)
        yield problem(
            f"{_KUBELET}.{key}.memory",
            mapping(given, key)["memory"],
            f"leaves pods on {smallest.name} nothing of its {smallest.memory} MiB",
            "write less, such as 512Mi",
        )


def _number(given: Mapping[str, Any], key: str) -> int | None:
    value = given.get(key, _DEFAULTS[key])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shown(value: Any) -> object:
    return ABSENT if isinstance(value, dict | list) else value

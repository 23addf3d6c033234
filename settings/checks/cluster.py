"""The cluster: members and versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import Problem, problem
from settings.words import closest

MINORS: Final = ("1.35", "1.36")
"""Kubernetes minors the cluster layer is written for (kubeadm v1beta4, containerd 2)."""
MOST_CONTROL_PLANES: Final = 5
"""etcd's own advice is no more than seven members, and five for nearly everybody."""
_PREFLIGHT: Final = (
    *("all", "ControlPlaneNodesReady", "CoreDNSMigration", "CoreDNSUnsupportedPlugins", "CRI"),
    *("CreateJob", "ContainerRuntimeVersion", "ExternalEtcdClientCertificates"),
    *("ExternalEtcdVersion", "Firewalld", "Hostname", "HTTPProxy", "HTTPProxyCIDR", "ImagePull"),
    *("IsDockerSystemdCheck", "IsPrivilegedUser", "KubeletVersion", "KubernetesVersion", "Mem"),
    *("NumCPU", "StaticPodManifest", "Swap", "SystemVerification"),
)
_PREFLIGHT_KINDS: Final = (
    *("diravailable-", "fileavailable-", "filecontent-", "fileexisting-", "port-", "service-"),
)
"""Checks of kubeadm, and beginnings of those that name a file, a port or a service."""


@reads("cluster")
def control_planes_are_odd(stack: Stack) -> Iterator[Problem]:
    """etcd keeps its quorum while more than half of its members live: an even one adds a member to
    lose and none to spare (etcd's FAQ, "Why an odd number of cluster members?")."""
    count = len(stack.cluster.control_planes)
    path = "cluster.control_planes"
    if count > MOST_CONTROL_PLANES:
        yield problem(
            path,
            count,
            f"are more than {MOST_CONTROL_PLANES} members of etcd: each write waits for more of "
            "them, and nothing is gained",
            f"write {MOST_CONTROL_PLANES} control planes at most",
        )
    elif count % 2 == 0:
        spare = (count - 1) // 2
        yield problem(
            path,
            count,
            f"is an even number of etcd members, of which its quorum can spare {spare or 'none'}, "
            f"no more than of {count - 1}",
            f"write {count - 1} or {count + 1} control planes",
        )


@reads("cluster")
def somebody_is_left_to_ask(stack: Stack) -> Iterator[Problem]:
    """Who does not answer is a control plane, and the others are more than half of them."""
    planes = [each.name for each in stack.cluster.control_planes]
    away = stack.cluster.unreachable
    for index, name in enumerate(away):
        path = f"cluster.unreachable[{index}]"
        if name not in planes:
            yield problem(path, name, "is no control plane", f"write one of {', '.join(planes)}")
        elif name in away[:index]:
            yield problem(path, name, "stands twice", "name each control plane once")
    lost, spare = len(set(away) & set(planes)), (len(planes) - 1) // 2
    if lost > spare:
        yield problem(
            "cluster.unreachable",
            lost,
            f"of {len(planes)} control planes leaves etcd without a quorum: the others cannot "
            "change the cluster either",
            f"name {spare} at most" if spare else "leave it out: there is no other one to ask",
        )


@reads("cluster")
def pods_have_somewhere_to_run(stack: Stack) -> Iterator[Problem]:
    """Without workers the control planes take ordinary pods, or nothing does."""
    if not stack.cluster.workers and not stack.cluster.schedule_on_control_planes:
        yield problem(
            "cluster.schedule_on_control_planes",
            value=False,
            wrong="leaves no node for pods: there are no workers",
            right="write true, or add workers",
        )


@reads("cluster")
def an_upgrade_leaves_workers(stack: Stack) -> Iterator[Problem]:
    """Pods that are drained go to another worker, which is not out too."""
    cluster, workers = stack.cluster, len(stack.cluster.workers)
    if cluster.max_unavailable > max(1, workers - 1):
        most = max(1, workers - 1)
        yield problem(
            "cluster.max_unavailable",
            cluster.max_unavailable,
            f"workers may be out at once during an upgrade, and cluster.workers has {workers}: "
            "none would be left for their pods",
            f"write {most}" + (" at most" if most > 1 else ""),
        )


@reads("cluster")
def version_is_supported(stack: Stack) -> Iterator[Problem]:
    """The minor is one the cluster layer knows, with a container runtime that serves it."""
    cluster = stack.cluster
    minor = ".".join(cluster.kubernetes_version.split(".")[:2])
    if minor not in MINORS:
        yield problem(
            "cluster.kubernetes_version",
            cluster.kubernetes_version,
            "is not supported",
            f"write a version of {' or '.join(MINORS)}",
        )
    major = re.match(r"(\d+:)?(\d+)", cluster.containerd.version)
    if major is not None and int(major[2]) < 2:
        yield problem(
            "cluster.containerd.version",
            cluster.containerd.version,
            "is older than Kubernetes accepts (from 1.36 on)",
            "write 2.0 or newer, with its Debian revision such as 2.4.2-1",
        )


@doubts("cluster")
def preflight_checks_are_known(stack: Stack) -> Iterator[Problem]:
    """kubeadm passes over names that it does not know, whatever their case."""
    known = {each.lower(): each for each in _PREFLIGHT}
    for index, text in enumerate(stack.cluster.ignore_preflight_errors):
        path = f"cluster.ignore_preflight_errors[{index}]"
        names = [each.strip() for each in text.split(",")]
        if len(names) > 1:
            yield problem(path, text, "is several in one text", f"write [{', '.join(names)}]")
        for name in names:
            if name.lower() not in known and not name.lower().startswith(_PREFLIGHT_KINDS):
                close = closest(name, _PREFLIGHT)
                right = f"did you mean {close}?" if close else "kubeadm names it in its error"
                yield problem(path, name, "is no check of kubeadm known here", right)

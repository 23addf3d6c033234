"""The cluster: members, sizes, versions, and what its extension keys must not undo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

MINORS: Final = ("1.35", "1.36")
"""Kubernetes minors the cluster layer is written for (kubeadm v1beta4, containerd 2)."""

_KUBEADM_CORES = 2
_KUBEADM_MEMORY = 1700
_DECIDED_FLAGS = ("node-ip", "hostname-override")
_DECIDED_KUBEADM = ("clusterName", "controlPlaneEndpoint", "kubernetesVersion", "networking")
_DECIDED_SYSCTLS = {"net.ipv4.ip_forward": "1"}


@reads("cluster")
def control_planes_are_odd(stack: Stack) -> Iterator[Problem]:
    """etcd: an even member adds a vote to lose and none to spare."""
    count = len(stack.cluster.control_planes)
    if count % 2 == 0 or count > 7:
        yield problem(
            "cluster.control_planes",
            count,
            "is no sensible number of etcd members",
            "write 1, 3, 5 or 7 control planes",
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
def control_planes_are_large_enough(stack: Stack) -> Iterator[Problem]:
    """kubeadm's own preflight: 2 CPUs, 1700 MB (kubeadm implementation details)."""
    ignored = set(stack.cluster.ignore_preflight_errors)
    if "all" in ignored:
        return
    for index, spec in enumerate(stack.cluster.control_planes):
        path = f"cluster.control_planes[{index}]"
        if spec.cores < _KUBEADM_CORES and "NumCPU" not in ignored:
            yield problem(
                f"{path}.cores",
                spec.cores,
                "is too few for kubeadm",
                f"give {spec.name} {_KUBEADM_CORES} at least",
            )
        if spec.memory < _KUBEADM_MEMORY and "Mem" not in ignored:
            yield problem(
                f"{path}.memory",
                spec.memory,
                "MiB is too little for kubeadm",
                f"give {spec.name} {_KUBEADM_MEMORY} at least",
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


@reads("cluster")
def extension_keys_extend(stack: Stack) -> Iterator[Problem]:
    """Extension keys add; they do not undo what the program decides."""
    cluster = stack.cluster
    for flag in cluster.kubelet.extra_args:
        if flag in _DECIDED_FLAGS:
            path = f"cluster.kubelet.extra_args.{flag}"
            yield problem(path, flag, "is decided by the program", "remove it")
    for key in cluster.cluster_configuration:
        if key in _DECIDED_KUBEADM:
            yield problem(
                f"cluster.cluster_configuration.{key}",
                key,
                "is decided by the program",
                "remove it: networks, balancers and cluster say it",
            )
    for key, needed in _DECIDED_SYSCTLS.items():
        given = cluster.sysctls.get(key, needed)
        if given != needed:
            yield problem(
                f"cluster.sysctls.{key}", given, "stops pods' traffic", f"remove it or set {needed}"
            )

"""The cluster: members, sizes, versions, and what its extension keys must not undo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

MINORS: Final = ("1.35", "1.36")
"""Kubernetes minors the cluster layer is written for (kubeadm v1beta4, containerd 2)."""

_KUBEADM_CORES = 2
_KUBEADM_MEMORY = 1700
_UNQUOTABLE = re.compile(r"""[\s"'\\$]""")
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
    major = cluster.containerd.version.split(":")[-1].split(".")[0]
    if not major.isdigit() or int(major) < 2:
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
    for flag, text in cluster.kubelet.extra_args.items():
        path = f"cluster.kubelet.extra_args.{flag}"
        if flag.startswith("-"):
            yield problem(path, flag, "has dashes", f"write {flag.lstrip('-')}")
        elif flag in _DECIDED_FLAGS:
            yield problem(path, flag, "is decided by the program", "remove it")
        elif _UNQUOTABLE.search(flag + text):
            yield problem(
                path,
                text,
                "cannot stand in the kubelet's environment file",
                "leave blanks, quotes, backslashes and dollars out",
            )
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


@reads("cluster")
def node_files_have_places(stack: Stack) -> Iterator[Problem]:
    """Absolute, plain paths; containerd reads only *.toml."""
    for name in stack.cluster.node_files:
        if not name.startswith("/") or ".." in PurePosixPath(name).parts or name.endswith("/"):
            yield problem(
                f"cluster.node_files.{name}",
                name,
                "is not an absolute path of a file",
                "write one such as /etc/NAME",
            )
    for name in stack.cluster.containerd.snippets:
        if "/" in name or not name.endswith(".toml"):
            yield problem(
                f"cluster.containerd.snippets.{name}",
                name,
                "is not read by containerd",
                "write a file name that ends in .toml",
            )

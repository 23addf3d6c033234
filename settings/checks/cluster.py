"""The cluster: members, ranges, versions, and what its extension keys must not undo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

MINORS: Final = ("1.35", "1.36")
"""Kubernetes minors the cluster layer is written for (kubeadm v1beta4, containerd 2)."""

_DEFAULT_MAX_PODS = 110
_LARGEST_MASK_STEP = 16
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


@reads("networks", "cluster")
def pod_range_is_large_enough(stack: Stack) -> Iterator[Problem]:
    """Every node takes one /node_mask of the pod range (kube-controller-manager's limits)."""
    pods, mask = stack.networks.pods, stack.cluster.node_mask
    nodes = len(stack.cluster.control_planes) + len(stack.cluster.workers)
    step = mask - pods.prefixlen
    path = "cluster.node_mask"
    if step < 0 or 2**step < nodes:
        yield problem(
            path,
            mask,
            f"leaves {2**step if step >= 0 else 0} node ranges in networks.pods ({pods}) "
            f"for {nodes} nodes",
            "widen networks.pods or raise the mask",
        )
    elif step > _LARGEST_MASK_STEP:
        yield problem(
            path,
            mask,
            f"is more than {_LARGEST_MASK_STEP} bits longer than networks.pods ({pods})",
            f"write {pods.prefixlen + _LARGEST_MASK_STEP} at most: kube-controller-manager's limit",
        )
    most = stack.cluster.kubelet.config.get("maxPods", _DEFAULT_MAX_PODS)
    room = 2 ** (32 - mask) - 2
    if isinstance(most, int) and room < most:
        yield problem(
            path,
            mask,
            f"gives a node {room} addresses for {most} pods",
            f"lower the mask, or set cluster.kubelet.config.maxPods to {room} at most",
        )


@reads("networks")
def service_range_is_allowed(stack: Stack) -> Iterator[Problem]:
    """kube-apiserver takes at most 20 bits of services; kubeadm puts DNS at the tenth address."""
    services = stack.networks.services
    if services.prefixlen < 12:
        yield problem(
            "networks.services",
            services,
            "is wider than kube-apiserver allows",
            "write a /12 or smaller, such as a /20",
        )
    if services.prefixlen > 28:
        yield problem(
            "networks.services",
            services,
            "has no tenth address for the cluster's DNS",
            "write a /28 or larger, such as a /20",
        )


@reads("networks")
def domain_is_free(stack: Stack) -> Iterator[Problem]:
    """`cluster.local` is Kubernetes' own, `.local` is multicast DNS (RFC 6762)."""
    domain = stack.networks.domain
    if domain.startswith("*."):
        yield problem("networks.domain", domain, "is a wildcard", f"write {domain[2:]}")
    elif domain.endswith(".local"):
        yield problem(
            "networks.domain",
            domain,
            "belongs to Kubernetes' own DNS or to multicast DNS",
            "write another, such as cluster.internal",
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


@reads("cluster", "platform")
def values_do_not_contradict(stack: Stack) -> Iterator[Problem]:
    """Chart values may not undo what the chain stands on."""
    cilium: dict[str, Any] = stack.platform.cilium.values
    replacement = cilium.get("kubeProxyReplacement", True)
    if replacement not in (True, "true"):
        yield problem(
            "platform.cilium.values.kubeProxyReplacement",
            replacement,
            "leaves nobody to serve NodePorts: kubeadm installs no kube-proxy",
            "remove it or write true",
        )
    frr = stack.platform.metallb.chart.values.get("frrk8s", {})
    if isinstance(frr, dict) and frr.get("enabled") is True:
        yield problem(
            "platform.metallb.chart.values.frrk8s.enabled",
            value=True,
            wrong="starts a BGP daemon, and the pool is announced by ARP (L2)",
            right="remove it or write false",
        )

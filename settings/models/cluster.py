"""The Kubernetes cluster."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from settings.models.base import Name, Strict, Version
from settings.models.machines import MachineSpec


class Kubelet(Strict):
    """Extension keys for machines that need something special."""

    extra_args: dict[str, str] = Field(default_factory=dict)
    """Flags without dashes. `{name}` in a value becomes the machine's name."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Merged over the KubeletConfiguration (kubelet.config.k8s.io/v1beta1)."""


class Containerd(Strict):
    """containerd and its extension keys."""

    version: str = "2.4.2-1"
    """The Debian package's version, pinned."""
    package: str = "containerd.io"
    """The Debian package's name."""
    snippets: dict[str, str] = Field(default_factory=dict)
    """File name to TOML (config version 3), imported from /etc/containerd/conf.d; a later
    name wins."""
    hosts: dict[str, str] = Field(default_factory=dict)
    """Registry host (or `_default`) to its hosts.toml (containerd docs/hosts.md)."""


class Cluster(Strict):
    """A cluster made by kubeadm."""

    name: Name
    """The cluster's name in the kubeconfig."""
    kubernetes_version: Version
    """All three numbers, such as 1.36.3."""
    package_revision: str = "1.1"
    """The Debian revision of kubeadm, kubelet and kubectl, pinned."""
    control_planes: list[MachineSpec] = Field(min_length=1)
    """An odd number: each is an etcd member."""
    workers: list[MachineSpec] = Field(default_factory=list)
    """Nodes that take ordinary pods."""
    schedule_on_control_planes: bool = False
    """No taint on control planes: they take ordinary pods too."""
    node_mask: int = Field(default=24, ge=16, le=28)
    """Prefix length of each node's share of the pod range."""
    kubelet: Kubelet = Kubelet()
    """The kubelets' extension keys."""
    containerd: Containerd = Containerd()
    """The container runtime."""
    ignore_preflight_errors: list[str] = Field(default_factory=list)
    """kubeadm's --ignore-preflight-errors."""
    cluster_configuration: dict[str, Any] = Field(default_factory=dict)
    """Merged over kubeadm's ClusterConfiguration (image tags and the like)."""
    sysctls: dict[str, str] = Field(default_factory=dict)
    """Further sysctls of every node."""
    node_files: dict[str, str] = Field(default_factory=dict)
    """Further small text files of every node, by absolute path; no secrets."""
    extra_packages: list[str] = Field(default_factory=list)
    """Further Debian packages of every node."""
    credentials_epoch: int = Field(default=1, ge=1)
    """Raise to mint a new administrator's kubeconfig."""

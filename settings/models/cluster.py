"""The Kubernetes cluster and what runs on it first."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from settings.models.base import Address, Hostname, Name, NodePort, Strict, Version, fault
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


class Chart(Strict):
    """A Helm chart, pinned."""

    chart: str
    """The chart's name in its repository, a local path, or an oci:// reference."""
    version: str
    """The exact chart version."""
    repository: str | None = Field(default=None, pattern=r"^(https?|oci)://")
    """Null: `chart` is a local path or a full OCI reference."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Merged over the values the program decides; lists are replaced."""
    timeout: int = Field(default=600, ge=30)
    """Seconds."""


class AddressRange(Strict):
    """Inclusive."""

    first: Address
    """The first address."""
    last: Address
    """The last address, still inside."""

    @model_validator(mode="after")
    def _ordered(self) -> AddressRange:
        if self.first > self.last:
            raise fault(f"starts at {self.first}, after its end {self.last}", "swap first and last")
        return self


class MetalLb(Strict):
    """MetalLB in L2 mode."""

    chart: Chart
    """MetalLB's chart."""
    pool: list[AddressRange] = Field(min_length=1)
    """Addresses of the LAN that LoadBalancer services take."""


class NodePorts(Strict):
    """Decided here; null is discovered from the live Service and flows as a late output."""

    http: NodePort | None = 30080
    """Plain HTTP."""
    https: NodePort | None = 30443
    """HTTPS."""
    health: NodePort | None = 30081
    """healthCheckNodePort of the ingress Service (externalTrafficPolicy Local)."""


class Ingress(Strict):
    """The ingress controller, a Service of type LoadBalancer with fixed NodePorts."""

    kind: Literal["traefik"] = "traefik"
    """The ingress controller."""
    chart: Chart
    """Its chart."""
    node_ports: NodePorts = NodePorts()
    """Its NodePorts."""
    load_balancer_ip: Address | None = None
    """Null: MetalLB chooses from the pool and the address is discovered."""


class Demo(Strict):
    """The demonstration service behind the ingress."""

    enabled: bool = False
    """Whether it is there."""
    host: Hostname
    """The host name it answers to."""
    image: str
    """Its image, with a tag or digest that stays."""
    replicas: int = Field(default=2, ge=1)
    """Pods, unless there is one a node."""
    every_node: bool = False
    """A DaemonSet, one pod a node, instead of a Deployment."""


class Platform(Strict):
    """What runs on the cluster before any application."""

    cilium: Chart
    """Cilium's chart: pod network in place of kube-proxy."""
    metallb: MetalLb
    """LoadBalancer addresses by ARP (L2)."""
    ingress: Ingress
    """The ingress controller."""
    demo: Demo | None = None
    """Null: no demonstration."""

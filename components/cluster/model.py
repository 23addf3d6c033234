"""A node of the cluster as plain values, which its parts are made from, and what a cluster is
restored from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface

from components.host.endpoint import ApiEndpoint
from settings.models import Cluster, Networks

MEMBER = "/etc/kubernetes/kubelet.conf"
"""There on a machine that is a node of the cluster: what runs there is changed in turn."""


def topology(region: str, zone: str | None) -> dict[str, str]:
    """The labels that say where a node stands (kubernetes.io, "Well-Known Labels")."""
    zoned = {} if zone is None else {"topology.kubernetes.io/zone": zone}
    return {"topology.kubernetes.io/region": region, **zoned}


@dataclass(frozen=True, kw_only=True)
class NodeModel:
    """`addresses` are the machine's own by network (management, lan), `interfaces` its legs."""

    name: str
    control_plane: bool
    addresses: Mapping[str, IPv4Interface]
    interfaces: Mapping[str, str]
    cluster: Cluster
    networks: Networks
    api: ApiEndpoint
    labels: Mapping[str, str] = field(default_factory=dict)
    """That the node has from its kubelet, and gets anew when they change."""

    @property
    def lan(self) -> IPv4Address:
        """What the cluster knows the node by; `KeyError` without a leg on the LAN."""
        return self.addresses["lan"].ip

    @property
    def management(self) -> IPv4Address:
        """`KeyError` without a leg on the management network."""
        return self.addresses["management"].ip

    @property
    def kubernetes_package(self) -> str:
        """The exact package version of kubeadm, kubelet and kubectl."""
        return f"{self.cluster.kubernetes_version}-{self.cluster.package_revision}"


@dataclass(frozen=True, kw_only=True)
class Restoring:
    """`archive` is a backup's name, `data` etcd's folder, and `text` puts the one into the other,
    with the cluster's keys; it reads the secret `restore.KEY` and, in `$markers/wanted`, what the
    cluster is to be made with."""

    archive: str
    data: str
    text: str

    @property
    def preflight(self) -> str:
        """kubeadm's check that the folder is empty, which it is not then."""
        return f"DirAvailable-{self.data.replace('/', '-')}"

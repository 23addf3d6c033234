"""What the cluster's layer is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi

from components.cluster.model import NodeModel, topology
from components.host import Machine
from components.host.endpoint import ApiEndpoint
from settings.models import Cluster, Networks, Software


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """`epoch` re-runs every push to the nodes; `cluster.credentials_epoch` mints a kubeconfig.
    `backup_ssh_key` (OpenSSH) is what the store of `cluster.backups` lets in, `backup_key` (PEM)
    what opens `cluster.restore.archive`: each is needed with those. With a `region` nodes are
    labelled with it and with the Proxmox host that they stand on. No control plane is made before
    `answering`, what `api` is answered by; the nodes' packages need not wait for it."""

    cluster: Cluster
    networks: Networks
    software: Software
    control_planes: Sequence[Machine]
    workers: Sequence[Machine]
    api: ApiEndpoint
    answering: Sequence[pulumi.Resource] = ()
    backup_ssh_key: pulumi.Input[str] | None = None
    backup_key: pulumi.Input[str] | None = None
    region: str | None = None
    epoch: str = "1"

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Every machine of the cluster, control planes first."""
        return (*self.control_planes, *self.workers)

    def node(self, machine: Machine) -> NodeModel:
        """One machine as the node it becomes."""
        return NodeModel(
            name=machine.name,
            control_plane=machine.role == "control_plane",
            addresses=machine.addresses,
            interfaces=machine.interfaces,
            cluster=self.cluster,
            networks=self.networks,
            api=self.api,
            labels={} if self.region is None else topology(self.region, machine.host),
        )


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node as other layers need it; `schedulable` when ordinary pods run on it."""

    name: str
    role: str
    address: IPv4Address
    schedulable: bool

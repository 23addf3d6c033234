"""What the cluster's layer is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from components.host import ApiEndpoint, Machine
from settings.models import Cluster, Networks, Software


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """`epoch` re-runs every push to the nodes; `cluster.credentials_epoch` mints a kubeconfig."""

    cluster: Cluster
    networks: Networks
    software: Software
    control_planes: Sequence[Machine]
    workers: Sequence[Machine]
    api: ApiEndpoint
    epoch: str = "1"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node as other layers need it; `schedulable` when ordinary pods run on it."""

    name: str
    role: str
    address: IPv4Address
    schedulable: bool

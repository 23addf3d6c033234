"""The models of a stack, section by section."""

from settings.models.base import Strict
from settings.models.cluster import (
    AddressRange,
    Chart,
    Cluster,
    Containerd,
    Demo,
    Ingress,
    Kubelet,
    MetalLb,
    NodePorts,
    Platform,
)
from settings.models.edge import (
    ApiEndpoint,
    Balancers,
    BalancerVip,
    Cdn,
    Certificate,
    Routers,
    RouterVip,
    Timeouts,
    Vrrp,
)
from settings.models.machines import (
    Access,
    AptRepository,
    Datastores,
    Image,
    MachineSpec,
    Proxmox,
    ProxmoxHost,
    Software,
)
from settings.models.network import Networks, Segment, Wan
from settings.models.stack import Stack

__all__ = [
    "Access",
    "AddressRange",
    "ApiEndpoint",
    "AptRepository",
    "BalancerVip",
    "Balancers",
    "Cdn",
    "Certificate",
    "Chart",
    "Cluster",
    "Containerd",
    "Datastores",
    "Demo",
    "Image",
    "Ingress",
    "Kubelet",
    "MachineSpec",
    "MetalLb",
    "Networks",
    "NodePorts",
    "Platform",
    "Proxmox",
    "ProxmoxHost",
    "RouterVip",
    "Routers",
    "Segment",
    "Software",
    "Stack",
    "Strict",
    "Timeouts",
    "Vrrp",
    "Wan",
]

"""The models of a stack, section by section."""

from settings.models.base import Strict
from settings.models.cdn import (
    ORIGIN_CA_DAYS,
    WIDEST_CDN_PREFIX,
    Cdn,
    RangesRefused,
    usable_ranges,
)
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
    Balancers,
    BalancerVip,
    Certificate,
    ConnectionLimits,
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
    "ORIGIN_CA_DAYS",
    "WIDEST_CDN_PREFIX",
    "Access",
    "AddressRange",
    "AptRepository",
    "BalancerVip",
    "Balancers",
    "Cdn",
    "Certificate",
    "Chart",
    "Cluster",
    "ConnectionLimits",
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
    "RangesRefused",
    "RouterVip",
    "Routers",
    "Segment",
    "Software",
    "Stack",
    "Strict",
    "Timeouts",
    "Vrrp",
    "Wan",
    "usable_ranges",
]

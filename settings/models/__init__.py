"""The models of a stack, section by section."""

from settings.models.access import Access
from settings.models.acme import NO_CERTIFICATE, Acme
from settings.models.addresses import Address, Address6, AnyAddress, Subnet
from settings.models.backups import Backups, Restore
from settings.models.balancers import (
    CONNECTION_FILES,
    OTHER_FILES,
    SOURCE_PORTS,
    Balancers,
    BalancerVip,
    Certificate,
    FurtherCertificate,
    Sizes,
    Timeouts,
    renewal_hours,
)
from settings.models.base import Strict
from settings.models.bgp import BALANCERS, INSIDE, Bfd, Bgp, BgpInside
from settings.models.cdn import (
    EVERYBODY,
    EVERYBODY6,
    ORIGIN_CA_DAYS,
    WIDEST_CDN_PREFIX,
    Cdn,
    RangesRefused,
    usable_ranges,
)
from settings.models.cdn_rules import CacheRule, CdnRules, FirewallRule, RateLimitRule
from settings.models.cert_manager import CHALLENGE_PATH, TOKEN_REFERENCE, CertManager, Issuer
from settings.models.charts import Chart, ChartSecret, FurtherChart
from settings.models.cluster import API_SERVER_PORT, Cluster, Containerd, Kubelet
from settings.models.delivery import REPOSITORY_KEYS, REPOSITORY_SECRET, Delivery
from settings.models.distributions import (
    DEFAULT_DISTRIBUTION,
    DISTRIBUTIONS,
    Distribution,
    DistributionName,
)
from settings.models.forwards import Forward
from settings.models.guards import Answers, Filter, Rate, Sources
from settings.models.logging import Logging, LogServer
from settings.models.machines import Interfaces, MachineSpec, PhysicalSpec
from settings.models.mesh import Mesh
from settings.models.monitoring import MONITORING_NAMESPACE, Monitoring, Receiver
from settings.models.networks import Networks, Segment, Wan
from settings.models.origin_pulls import OriginPulls
from settings.models.outbound import Outbound
from settings.models.page import MaintenancePage
from settings.models.pem import bundles
from settings.models.platform import (
    ACCEPT_SECONDS,
    CHECKED_HOST,
    FINISH_SECONDS,
    AddressRange,
    Demo,
    Ingress,
    IngressTimeouts,
    MetalLb,
    NodePorts,
    Platform,
)
from settings.models.platform_logging import (
    LOKI_NAMESPACE,
    STORE_KEYS,
    STORE_SECRET,
    Collector,
    LogStore,
    PlatformLogging,
)
from settings.models.proxmox import Datastores, Image, Proxmox, ProxmoxHost
from settings.models.routers import ConnectionLimits, Routers, RouterVip
from settings.models.routing import CLIENTS_WORDS, Route, Sharing
from settings.models.services import Alert, PublicService
from settings.models.software import AptRepository, MachinesRepository, Software
from settings.models.stack import Stack
from settings.models.storage import (
    STORAGE_NAMESPACE,
    STORAGE_TOKEN,
    STORAGE_TOKEN_KEYS,
    PlatformStorage,
    VolumeClass,
)
from settings.models.tcp_routes import TcpRoute
from settings.models.unproxied import UnproxiedRecord
from settings.models.velero import VELERO_NAMESPACE, Velero
from settings.models.vrrp import Vrrp

__all__ = [
    "ACCEPT_SECONDS",
    "API_SERVER_PORT",
    "BALANCERS",
    "CHALLENGE_PATH",
    "CHECKED_HOST",
    "CLIENTS_WORDS",
    "CONNECTION_FILES",
    "DEFAULT_DISTRIBUTION",
    "DISTRIBUTIONS",
    "EVERYBODY",
    "EVERYBODY6",
    "FINISH_SECONDS",
    "INSIDE",
    "LOKI_NAMESPACE",
    "MONITORING_NAMESPACE",
    "NO_CERTIFICATE",
    "ORIGIN_CA_DAYS",
    "OTHER_FILES",
    "REPOSITORY_KEYS",
    "REPOSITORY_SECRET",
    "SOURCE_PORTS",
    "STORAGE_NAMESPACE",
    "STORAGE_TOKEN",
    "STORAGE_TOKEN_KEYS",
    "STORE_KEYS",
    "STORE_SECRET",
    "TOKEN_REFERENCE",
    "VELERO_NAMESPACE",
    "WIDEST_CDN_PREFIX",
    "Access",
    "Acme",
    "Address",
    "Address6",
    "AddressRange",
    "Alert",
    "Answers",
    "AnyAddress",
    "AptRepository",
    "Backups",
    "BalancerVip",
    "Balancers",
    "Bfd",
    "Bgp",
    "BgpInside",
    "CacheRule",
    "Cdn",
    "CdnRules",
    "CertManager",
    "Certificate",
    "Chart",
    "ChartSecret",
    "Cluster",
    "Collector",
    "ConnectionLimits",
    "Containerd",
    "Datastores",
    "Delivery",
    "Demo",
    "Distribution",
    "DistributionName",
    "Filter",
    "FirewallRule",
    "Forward",
    "FurtherCertificate",
    "FurtherChart",
    "Image",
    "Ingress",
    "IngressTimeouts",
    "Interfaces",
    "Issuer",
    "Kubelet",
    "LogServer",
    "LogStore",
    "Logging",
    "MachineSpec",
    "MachinesRepository",
    "MaintenancePage",
    "Mesh",
    "MetalLb",
    "Monitoring",
    "Networks",
    "NodePorts",
    "OriginPulls",
    "Outbound",
    "PhysicalSpec",
    "Platform",
    "PlatformLogging",
    "PlatformStorage",
    "Proxmox",
    "ProxmoxHost",
    "PublicService",
    "RangesRefused",
    "Rate",
    "RateLimitRule",
    "Receiver",
    "Restore",
    "Route",
    "RouterVip",
    "Routers",
    "Segment",
    "Sharing",
    "Sizes",
    "Software",
    "Sources",
    "Stack",
    "Strict",
    "Subnet",
    "TcpRoute",
    "Timeouts",
    "UnproxiedRecord",
    "Velero",
    "VolumeClass",
    "Vrrp",
    "Wan",
    "bundles",
    "renewal_hours",
    "usable_ranges",
]

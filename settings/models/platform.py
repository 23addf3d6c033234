"""What runs on the cluster first."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from settings.models.addresses import Address, AnyAddress, AnyNetwork, ends_of
from settings.models.base import Domain, Name, Seconds, Strict, fault
from settings.models.cert_manager import TOKEN_REFERENCE, CertManager
from settings.models.charts import Chart, FurtherChart
from settings.models.delivery import Delivery
from settings.models.image_names import ImageName
from settings.models.mesh import Mesh
from settings.models.monitoring import Monitoring
from settings.models.platform_logging import PlatformLogging
from settings.models.storage import PlatformStorage
from settings.models.velero import Velero

ACCEPT_SECONDS: Final = 10
"""How long an ingress pod that was told to leave takes new connections all the same: by then every
node sends them to its successor."""
FINISH_SECONDS: Final = 300
"""How long the requests and streams that it has may go on after that."""

CHECKED_HOST: Final = "check.invalid"
"""The host that the balancers' checks of the ingress name: nobody's (RFC 6761, section 6.4)."""

NodePort = Annotated[int, Field(ge=30000, le=32767, strict=True)]
"""The API server's default service-node-port-range."""


class AddressRange(Strict):
    """Addresses in a row, both ends included."""

    first: Address
    """The first address."""
    last: Address
    """The last address, still inside."""

    @property
    def written(self) -> str:
        """Both ends, for messages."""
        return f"{self.first}-{self.last}"

    def holds(self, address: AnyAddress) -> bool:
        """Whether the address is one of them; one of another family never is."""
        return isinstance(address, type(self.first)) and self.first <= address <= self.last

    def overlaps(self, other: AddressRange) -> bool:
        """Whether the two have an address in common."""
        return any(self.holds(end) for end in (other.first, other.last)) or other.holds(self.first)

    def meets(self, network: AnyNetwork) -> bool:
        """Whether one of them is of the network."""
        return self.holds(network[0]) or self.first in network

    @model_validator(mode="before")
    @classmethod
    def _spelt_out(cls, value: Any) -> Any:
        if isinstance(value, str) and (ends := ends_of(value)) is not None:
            first, last = ends
            raise fault("is no pair of ends", f"write {{ first: {first}, last: {last} }}")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> AddressRange:
        if self.first > self.last:
            raise fault(f"starts at {self.first}, after its end {self.last}", "swap first and last")
        return self


class MetalLb(Strict):
    """MetalLB."""

    chart: Chart
    """MetalLB's chart."""
    mode: Literal["l2", "bgp"] = "l2"
    """`l2`: one node answers ARP for an address. `bgp`: every node announces it to the routers
    (`routers.bgp.inside`)."""
    pool: list[AddressRange] = Field(min_length=1)
    """Addresses that LoadBalancer services take: of the LAN in mode `l2`, of no segment in mode
    `bgp`."""


class NodePorts(Strict):
    """Decided here; null is discovered from the live Service and flows as a late output."""

    http: NodePort | None = 30080
    """Plain HTTP."""
    https: NodePort | None = 30443
    """HTTPS."""
    health: NodePort | None = 30081
    """healthCheckNodePort of the ingress Service (externalTrafficPolicy Local)."""

    def keys_of(self, port: int | None) -> list[str]:
        """The keys that have this port; none of None, which is no port yet."""
        return [key for key, own in self if own is not None and own == port]


class IngressTimeouts(Strict):
    """How long the ingress waits for the balancers, in seconds."""

    read: Seconds | None = Field(default=None, ge=0.001, le=86_400)
    """A whole request with its body, and its answer too: Go's HTTP server gives up a stream or a
    download that lasts longer. Null: no limit; slow clients are the balancers' business."""
    idle: Seconds = Field(default=920, ge=0.001, le=7200)
    """Between two requests of one connection: longer than the balancers keep one."""


class Ingress(Strict):
    """The ingress controller, a Service of type LoadBalancer with fixed NodePorts."""

    kind: Literal["traefik", "nginx", "haproxy", "contour", "cilium"] = "traefik"
    """The ingress controller. `nginx` is F5's (chart nginx-ingress), not the community's retired
    ingress-nginx; `haproxy` is HAProxy Technologies' (chart kubernetes-ingress); `contour` is the
    project's own chart, not Bitnami's; `cilium` is Cilium's own, which `platform.cilium`
    carries."""
    chart: Chart | None = None
    """Its chart; none with `cilium`."""
    node_ports: NodePorts = NodePorts()
    """Its NodePorts."""
    replicas: int | None = Field(default=None, ge=1, le=1000)
    """Pods of it, shared out among the nodes, of which one at a time may be evicted. Null: one on
    every node that takes pods (a DaemonSet)."""
    external_traffic_policy: Literal["Local", "Cluster"] = "Local"
    """`Local`: a node answers as long as it has a pod of it, and says so at `node_ports.health`.
    `Cluster`: every node answers and sends on to another's pod; Cilium must keep the balancers'
    addresses then (`loadBalancer.mode: dsr`), and `node_ports.health` is null."""
    timeouts: IngressTimeouts = IngressTimeouts()
    """How long it waits."""
    load_balancer_ip: Address | None = None
    """Null: MetalLB chooses from the pool and the address is discovered."""


class Demo(Strict):
    """The demonstration service behind the ingress."""

    enabled: bool = False
    """Whether it is there."""
    host: Domain
    """The host name it answers to."""
    image: ImageName
    """Its image, with a tag or digest that stays."""
    replicas: int = Field(default=2, ge=1, le=1000)
    """Pods, unless there is one a node."""
    every_node: bool = False
    """A DaemonSet, one pod a node, instead of a Deployment."""
    issuer: Name | None = None
    """Who signs the certificate that the ingress shows for it: of platform.cert_manager.issuers.
    Null: the ingress' own self-made one, which the balancers do not verify."""


class Platform(Strict):
    """What runs on the cluster before any application."""

    cilium: Chart
    """Cilium's chart: pod network in place of kube-proxy."""
    metallb: MetalLb
    """LoadBalancer addresses."""
    ingress: Ingress
    """The ingress controller."""
    demo: Demo | None = None
    """A small web service to try the chain with. Null: none."""
    cert_manager: CertManager | None = None
    """cert-manager, for certificates inside the cluster. Null: none."""
    monitoring: Monitoring | None = None
    """Prometheus and Alertmanager, which watch the whole chain. Null: none."""
    logging: PlatformLogging | None = None
    """Loki and Grafana Alloy, for everybody's lines. Null: none."""
    storage: PlatformStorage | None = None
    """Volumes on Proxmox' own storage. Null: none."""
    delivery: Delivery | None = None
    """The hand-over to GitOps. Null: none."""
    velero: Velero | None = None
    """Velero, for backups of what is in the cluster. Null: none."""
    mesh: Mesh | None = None
    """Mutual TLS between pods. Null: none."""
    charts: list[FurtherChart] = Field(default_factory=list, max_length=100)
    """Further charts, each a release of its own after the pod network."""

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        issuers = [] if self.cert_manager is None else self.cert_manager.issuers
        by_dns = any(each.traits.zones for each in issuers)
        return [
            *([TOKEN_REFERENCE] if by_dns else []),
            *([] if self.monitoring is None else self.monitoring.references()),
            *([] if self.logging is None else self.logging.references()),
            *([] if self.storage is None else self.storage.references()),
            *([] if self.delivery is None else self.delivery.references()),
            *([] if self.velero is None else self.velero.references()),
            *(each for chart in self.charts for each in chart.references()),
        ]

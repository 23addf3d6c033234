"""The load balancers."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from settings.models.acme import Acme
from settings.models.addresses import Address, Address6
from settings.models.base import Hostname, Name, Port, Seconds, Strict, Unit
from settings.models.guards import Answers, Filter, Rate, Sources
from settings.models.logging import Logging
from settings.models.machines import MachineSpec
from settings.models.page import MaintenancePage
from settings.models.proxmox import Image
from settings.models.routing import Route, Sharing
from settings.models.snippets import SnippetHook, SnippetLine
from settings.models.tcp_routes import TcpRoute
from settings.models.vrrp import Vrid, Vrrp

CONNECTION_FILES: Final = 2
"""Open files of HAProxy a connection: one towards the client, one towards the node."""
OTHER_FILES: Final = 1000
"""Its other open files: listeners, health checks, pipes, logs."""
SOURCE_PORTS: Final = (10_240, 65_535)
"""The first and last port of a balancer's own connections (ip-sysctl, ip_local_port_range), above
everything that listens there."""


def renewal_hours(hours: int) -> int:
    """How long before its end a certificate is made anew: 30 days, or a third of a short life."""
    return min(30 * 24, hours // 3)


class BalancerVip(Strict):
    """One failover group of the balancers: LAN and management addresses in one VRRP instance."""

    name: Name
    """The group's name."""
    owner: Name
    """The balancer that holds the group while all is well."""
    vrid: Vrid
    """Unique on the LAN, the routers' included, and on the management segment."""
    lan: list[Address] = Field(min_length=1)
    """Addresses on the LAN: where the routers and the nodes reach the balancers."""
    management: list[Address] = Field(min_length=1)
    """Addresses on the management segment: where Pulumi reaches the API."""
    lan6: list[Address6] = Field(default_factory=list)
    """IPv6 addresses on the LAN, of the first group: where the routers forward visitors by IPv6."""


class Reach(Strict):
    """How requests for the service reach the balancers; the Kubernetes API is at `balancers.vips`
    whichever way."""

    kind: Literal["vrrp", "bgp"] = "vrrp"
    """`vrrp`: one balancer at a time, which holds the addresses of `balancers.vips`. `bgp`: all of
    two to eight, which announce addresses of the service to the routers."""
    vips: list[Address] = Field(default_factory=list)
    """With `bgp`: the service's addresses, outside every segment. With `vrrp` none."""


class BalancerNeighbours(Strict):
    """Who is asked whether a balancer's leg still reaches anybody (ARP: on the leg's own
    segment)."""

    lan: list[Address] = Field(default_factory=list)
    """Empty: the routers and the control planes."""
    management: list[Address] = Field(default_factory=list)
    """Empty: the routers and the control planes."""


class FurtherCertificate(Strict):
    """A certificate beside the first: shown to clients that ask for one of its names (SNI)."""

    name: Name
    """What it is called here."""
    names: list[Hostname] = Field(min_length=1)
    """Host names it is for; `*` covers one label."""


class Certificate(Strict):
    """Where the balancers' certificate comes from."""

    source: Literal["given", "self-signed", "origin-ca", "acme"]
    """`given`: secrets `tlsCertificate` and `tlsKey`. `self-signed`: made by the stack.
    `origin-ca`: signed by Cloudflare's origin CA for a key made by the stack. `acme`: ordered and
    renewed by each balancer for itself, of Let's Encrypt or another authority that speaks ACME."""
    names: list[Hostname] = Field(min_length=1)
    """Host names it is for; `*` covers one label."""
    validity_hours: Annotated[int, Unit("hours")] = Field(default=8760, ge=24, le=175_200)
    """Lifetime in hours, of a certificate the stack makes."""
    further: list[FurtherCertificate] = Field(default_factory=list)
    """Given certificates for other names, in the order of the secret `tlsFurther`."""
    acme: Acme | None = None
    """Of whom it is ordered; only with the source `acme`."""

    @property
    def every_name(self) -> list[str]:
        """Of the first and all further ones."""
        return [*self.names, *(name for each in self.further for name in each.names)]

    @property
    def ordered(self) -> Acme | None:
        """How the balancers order the first one; None where it comes from elsewhere."""
        return self.acme if self.source == "acme" else None


class Timeouts(Strict):
    """HAProxy timeouts, in seconds (HAProxy configuration manual, section 4)."""

    connect: Seconds = Field(default=2, ge=0.001, le=60)
    """To a node."""
    client: Seconds = Field(default=915, ge=0.001, le=7200)
    """A client's silence within a request; HAProxy 2.6 ends idle HTTP/1.1 connections by it too."""
    server: Seconds = Field(default=130, ge=0.001, le=7200)
    """A node's silence: what an answer may take to begin."""
    http_request: Seconds = Field(default=10, ge=0.001, le=300)
    """A whole request's header (slow clients)."""
    http_keep_alive: Seconds = Field(default=910, ge=0.001, le=7200)
    """Between two requests of one connection: longer than the CDN keeps an idle one for reuse."""
    queue: Seconds = Field(default=5, ge=0.001, le=300)
    """Waiting for a free connection to a node."""
    tunnel: Seconds = Field(default=3600, ge=0.001, le=86_400)
    """Silence of an upgraded connection (WebSocket)."""
    hard_stop_after: Seconds = Field(default=180, ge=0.001, le=14_400)
    """How long a reloaded process may finish its connections."""


class Sizes(Strict):
    """What HAProxy takes of one request, in KiB. Both stand in one buffer, as does a piece of a
    body on its way, so that larger sizes cost memory a connection."""

    headers: Annotated[int, Unit("KiB")] = Field(default=132, ge=8, le=512)
    """All header fields of a request, cookies and what the CDN adds included; more is answered
    with 431."""
    url: Annotated[int, Unit("KiB")] = Field(default=16, ge=1, le=64)
    """Path and query; more is answered with 414."""

    @property
    def buffer(self) -> int:
        """HAProxy's tune.bufsize, in bytes. Beside both: 8 bytes for each of 1000 fields, 4 KiB for
        the fields that HAProxy writes, and room for a request that is a little too large: one
        that the buffer does not hold is cut off (HAProxy's issue 2923)."""
        return (self.headers + self.url + 24) * 1024


class Balancers(Strict):
    """The HAProxy and keepalived pair."""

    image: Image | None = None
    """What the balancers' disks start from. Null: `proxmox.image`."""
    machines: list[MachineSpec] = Field(min_length=1, max_length=8)
    """One, or a pair on different hosts; two to eight where `reach.kind` is bgp, of which the first
    two hold `vips`."""
    vips: list[BalancerVip] = Field(min_length=1)
    """The failover groups."""
    reach: Reach = Reach()
    """How requests for the service get here."""
    vrrp: Vrrp = Vrrp()
    """Failover timers."""
    neighbours: BalancerNeighbours = BalancerNeighbours()
    """By whom a balancer of a pair knows that a leg is lost, though its link is up."""
    certificate: Certificate
    """The certificate HTTPS is answered with."""
    timeouts: Timeouts = Timeouts()
    """HAProxy's timeouts."""
    sizes: Sizes = Sizes()
    """How large a request may be."""
    max_connections: int = Field(default=10_000, ge=100, le=500_000)
    """HAProxy's global maxconn. Each takes two files, of the 1,048,576 that fs.nr_open allows.
    A tenth (at least 50) is kept for the Kubernetes API, statistics, and checks of HAProxy itself.
    """
    max_connections_per_client: int | None = Field(default=None, ge=10, le=500_000)
    """Connections of one client at a time, told by its address (through the CDN: requests, told by
    the client that it names); a tenth of `max_connections` when left out."""
    target: Literal["node-port", "load-balancer-ip"] = "node-port"
    """Where routes send requests: every node's NodePort, or the ingress' LoadBalancer IP."""
    ingress: Sharing = Sharing()
    """How requests without a route of their own are shared out."""
    routes: list[Route] = Field(default_factory=list, max_length=500)
    """Requests with a way of their own, in the order they are tried."""
    tcp_routes: list[TcpRoute] = Field(default_factory=list, max_length=500)
    """TCP services beside HTTP and HTTPS."""
    rate_per_client: Rate | None = None
    """How often one client may ask, told by its address (through the CDN: by the client that it
    names); both balancers know it. Null: no limit."""
    sources: Sources = Sources()
    """From where requests are answered."""
    filter: Filter = Filter()
    """Which requests are not passed on."""
    answers: Answers = Answers()
    """Header fields of every answer."""
    maintenance_page: MaintenancePage | None = None
    """Shown with 503 where no server is up, and for hosts that are named. Null: HAProxy's own
    words."""
    logging: Logging | None = None
    """The access log for machines, sent to servers. Null: lines for people, in each balancer's
    journal alone."""
    snippets: dict[SnippetHook, list[SnippetLine]] = Field(default_factory=dict)
    """HAProxy's own lines, by where they go: `global`; `api`, the frontend of the Kubernetes API;
    `defaults` and `service`, those of HTTP and HTTPS; `ingress`, every backend that leads there."""
    api_port: Port = 6443
    """Port of the Kubernetes API on the VIPs."""
    stats_port: Port = 8404
    """Stats page and Prometheus endpoint, on the management leg only."""
    redirect_to_https: bool = False
    """Answer plain HTTP with a redirect."""

    @property
    def lan_vips(self) -> list[Address]:
        """Of every group."""
        return [address for vip in self.vips for address in vip.lan]

    @property
    def service_vips(self) -> list[Address]:
        """Where the routers forward to, in turn."""
        return self.reach.vips or self.lan_vips

    @property
    def every_vip(self) -> list[Address | Address6]:
        """Of every group and family: what the balancers hold, whichever of them does."""
        found: list[Address | Address6] = []
        for vip in self.vips:
            found += [*vip.lan, *vip.management]
            found += vip.lan6
        return found

    @property
    def lan6_vips(self) -> list[Address6]:
        """The same by IPv6."""
        return [address for vip in self.vips for address in vip.lan6]

    @property
    def shares_tables(self) -> bool:
        """Whether balancers tell each other what they count and remember."""
        remembers = any(each.sticky == "source" for each in (self.ingress, *self.routes))
        return len(self.machines) > 1 and (remembers or self.rate_per_client is not None)

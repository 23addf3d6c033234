"""The balancers as plain values: what their parts are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, TypeAlias

from components.host.bgp import Peering
from components.host.pair import Leg, Pair
from settings.models import (
    Acme,
    Answers,
    BalancerVip,
    Distribution,
    Filter,
    Logging,
    MaintenancePage,
    Rate,
    Route,
    Sharing,
    Sizes,
    Sources,
    TcpRoute,
    Timeouts,
    Vrrp,
)

ALIVE_PORT = 8405
"""TCP, on loopback: HAProxy's own answer to keepalived's check."""
SERVES_PORT = 8407
"""TCP, on loopback: whether the routes are loaded, and what is behind them has servers that are
up."""
TABLES_PORT = 8409
"""TCP, on the LAN, from the peer: what HAProxy counts and remembers (stick tables)."""
OWN_TABLES_PORT = 8410
"""TCP, on loopback: where HAProxy itself takes them, from the peer and from its predecessor."""
CHALLENGES_PORT = 8411
"""TCP, on the LAN, from the balancers: what one of them answers an ACME authority."""
OWN_CHALLENGES_PORT = 8412
"""TCP, on loopback: where certbot answers while it orders."""
ORDERED = "/etc/haproxy/tls/acme"
"""The folder of what is shown where balancers order their certificate. HAProxy takes its files in
alphabetical order, of which the first is for whoever names no host."""
ORDERED_CERTIFICATE = f"{ORDERED}/certbot.pem"
"""The ordered one and its key, once it has come."""
FIRST_TABLE = 1000
"""Routing tables and rules of our own are numbered from here (ip-route(8): above 255 are free)."""
HTTP_PORT = 80
HTTPS_PORT = 443


ClientCertificate: TypeAlias = Literal["required", "optional"]
"""What becomes of a client without a certificate that our authorities signed (HAProxy
configuration manual, `verify`)."""
Snippets: TypeAlias = Mapping[str, Sequence[str]]
"""Hook to the stack's own lines there, as the settings took them."""


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """One balancer."""

    name: str
    management: Leg
    lan: Leg
    distribution: Distribution


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a backend sends: a name for the statistics, and an address on the LAN. One in
    `maintenance` gets nothing."""

    name: str
    address: IPv4Address
    maintenance: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceRoute:
    """Source-based routing: packets from `vip` that leave the LAN do so through `gateway`, by a
    routing table of their own; `table` is also the preference of the rule that leads there."""

    vip: IPv4Address
    gateway: IPv4Address
    table: int


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """How HAProxy's connections are shared out, so that none of those who take them can leave the
    others without: the sum is the process' own limit (HAProxy configuration manual, `maxconn`).

    `service` is the room of HTTP and HTTPS together, `api` of the Kubernetes API, `own` of each of
    the three that are asked about HAProxy itself (alive, serves, statistics), of the others' tables
    where balancers share some, and of their answers to an ACME authority.
    """

    service: int
    api: int
    own: int = 10

    @classmethod
    def of(
        cls, most: int, *, shares_tables: bool = False, answers: bool = False, tcp: int = 0
    ) -> Rooms:
        """Shares out `most` connections (at least 100): nine tenths are the service's, but for the
        `tcp` that TCP routes may have."""
        kept = max(50 + answers * cls.own, most // 10)
        return cls(service=most - kept - tcp, api=kept - (3 + shares_tables + answers) * cls.own)


@dataclass(frozen=True, kw_only=True)
class Order:
    """The certificate for `names` that each balancer orders for itself, as `acme` says; of several
    `balancers` each is asked for the other's answers."""

    names: tuple[str, ...]
    acme: Acme
    balancers: tuple[Server, ...]


@dataclass(frozen=True, kw_only=True)
class BalancersModel(Pair[Balancer, BalancerVip]):
    """A pair of balancers (or one): addresses, and the Kubernetes API. Others beside them serve and
    hold none of the addresses.

    Requests come by the way `reach` to the addresses `service`, of which the sessions of `peering`
    tell the routers where they come by BGP. With an `order` one that has no certificate yet is not
    preferred. `source_routes` maps a LAN VIP whose answers do not
    leave by the default route to their gateway; `neighbours` are whom a balancer asks on its legs
    (`lan`, `management`). With `shares_tables` each tells the others what its HAProxy counts and
    remembers. `own_backends` says that some requests go to servers other than the ingress'.
    """

    vrrp: Vrrp
    timeouts: Timeouts
    sizes: Sizes
    max_connections: int
    api_port: int
    stats_port: int
    control_planes: tuple[Server, ...]
    service: tuple[IPv4Address, ...]
    reach: str = "vrrp"
    peering: Peering | None = None
    tcp_ports: tuple[int, ...] = ()
    own_backends: bool = False
    source_routes: Mapping[IPv4Address, IPv4Address] = field(default_factory=dict)
    neighbours: Mapping[str, tuple[IPv4Address, ...]] = field(default_factory=dict)
    shares_tables: bool = False
    order: Order | None = None
    logging: Logging | None = None
    snippets: Snippets = field(default_factory=dict)

    def routes_of(self, vip: BalancerVip) -> tuple[SourceRoute, ...]:
        """The source routes of a group's addresses."""
        return tuple(
            SourceRoute(vip=each, gateway=self.source_routes[each], table=FIRST_TABLE + index)
            for index, each in enumerate(self.lan_vips)
            if each in vip.lan and each in self.source_routes
        )

    @property
    def own_moves(self) -> bool:
        """Whether backends with servers of their own are reached at an address that moves. One that
        every balancer announces does not: there each serves what it can, and one that left for the
        sake of a single application would take all others along."""
        return self.own_backends and set(self.service) <= set(self.lan_vips)

    @property
    def rooms(self) -> Rooms:
        """Who may have how many connections."""
        return Rooms.of(
            self.max_connections,
            shares_tables=self.shares_tables,
            answers=self.order is not None and self.order.acme.traits.answers,
        )

    @property
    def lan_vips(self) -> tuple[IPv4Address, ...]:
        """All LAN VIPs, group by group."""
        return tuple(address for vip in self.vips for address in vip.lan)

    @property
    def management_vips(self) -> tuple[IPv4Address, ...]:
        """All management VIPs, group by group."""
        return tuple(address for vip in self.vips for address in vip.management)


@dataclass(frozen=True, kw_only=True)
class RoutesModel:
    """Where requests go: plain ones to the ingress' HTTP port, TLS ones to its HTTPS port.

    With `node-port` they go to every one of `nodes` on `http_port` or `https_port` (NodePorts), as
    long as an ingress answers there. With `load-balancer-ip` they go to ports 80 and 443 of that
    one address. `lan6_vips` are for visitors by IPv6. `client_ip_header` is None where no CDN
    stands in front, `client_certificate` where it shows none, `order` where the certificate is
    another one than is pushed. `services` are routes, too, tried
    behind `routes`: of those who go to the ingress as everybody does, and are counted apart.
    """

    lan_vips: tuple[IPv4Address, ...]
    lan6_vips: tuple[IPv6Address, ...] = ()
    target: Literal["node-port", "load-balancer-ip"]
    nodes: tuple[Server, ...]
    http_port: int | None
    https_port: int | None
    load_balancer_ip: IPv4Address | None
    timeouts: Timeouts
    sizes: Sizes
    client_ip_header: str | None
    client_certificate: ClientCertificate | None = None
    redirect_to_https: bool
    rooms: Rooms
    per_client: int
    ingress: Sharing = field(default_factory=Sharing)
    routes: tuple[Route, ...] = ()
    services: tuple[Route, ...] = ()
    further: tuple[str, ...] = ()
    order: Order | None = None
    shares_tables: bool = False
    rate: Rate | None = None
    sources: Sources = field(default_factory=Sources)
    filter: Filter = field(default_factory=Filter)
    answers: Answers = field(default_factory=Answers)
    page: MaintenancePage | None = None
    tcp_routes: tuple[TcpRoute, ...] = ()
    logging: Logging | None = None
    snippets: Snippets = field(default_factory=dict)

    @property
    def bound(self) -> tuple[str, ...]:
        """Where visitors arrive, as HAProxy writes addresses."""
        return (*map(str, self.lan_vips), *(f"[{each}]" for each in self.lan6_vips))

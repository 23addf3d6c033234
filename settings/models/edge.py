"""The edge: routers, load balancers."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Literal

from pydantic import Field

from settings.models.base import Address, Hostname, Name, Port, Strict, Subnet, Vrid
from settings.models.machines import MachineSpec


class RouterVip(Strict):
    """One failover group of the routers: its WAN and LAN addresses move together."""

    name: Name
    """The group's name."""
    owner: Name
    """The router that holds the group while all is well."""
    wan: list[Address] = Field(min_length=1)
    """Public addresses: what the CDN's records point to, and what outbound traffic leaves with."""
    wan_vrid: Vrid
    """Unique on the WAN."""
    lan: list[Address] = Field(min_length=1)
    """LAN addresses; the first group's first is everybody's gateway."""
    lan_vrid: Vrid
    """Unique on the LAN, the balancers' included."""


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


class Vrrp(Strict):
    """VRRP version 3 timers (keepalived.conf(5)); priorities follow from each VIP's owner."""

    advert_interval: float = Field(default=0.3, ge=0.1, le=40.95)
    """Seconds, in steps of 0.01. A backup takes over after three of them plus the skew."""
    preempt: bool = True
    """Give the VIP back to its owner when it returns."""
    preempt_delay: int = Field(default=5, ge=0, le=1000)
    """Seconds the returning owner waits, so that it does not return before its network does."""
    startup_delay: int = Field(default=2, ge=0, le=300)
    """Seconds a starting keepalived stays silent (vrrp_startup_delay)."""
    garp_master_refresh: int = Field(default=60, ge=0)
    """Seconds between repeated gratuitous ARPs."""


class ConnectionLimits(Strict):
    """How many connections are tracked, and how long."""

    conntrack_max: int = Field(default=262_144, ge=4096)
    """Connections tracked (nf_conntrack_max)."""
    established_timeout: int = Field(default=86_400, ge=60)
    """Seconds."""


class Routers(Strict):
    """The redundant routers and firewalls."""

    kind: Literal["linux"] = "linux"
    """`linux`: nftables, keepalived, conntrackd."""
    machines: list[MachineSpec] = Field(min_length=1, max_length=2)
    """One, or a pair on different hosts."""
    vips: list[RouterVip] = Field(min_length=1)
    """The failover groups."""
    vrrp: Vrrp = Vrrp()
    """Failover timers."""
    limits: ConnectionLimits = ConnectionLimits()
    """Connection tracking."""
    public_ports: list[Port] = Field(default_factory=lambda: [80, 443], min_length=1)
    """TCP ports of the public VIPs forwarded to the balancers."""
    management_sources: list[Subnet] = Field(default_factory=list)
    """Who may reach sshd on the management leg; empty means the management network."""

    @property
    def gateway(self) -> IPv4Address:
        """Everybody's way out."""
        return self.vips[0].lan[0]


class Certificate(Strict):
    """Where the balancers' certificate comes from."""

    source: Literal["given", "self-signed", "origin-ca"]
    """`given`: secrets `tlsCertificate` and `tlsKey`. `self-signed`: made by the stack.
    `origin-ca`: signed by Cloudflare's origin CA for a key made by the stack."""
    names: list[Hostname] = Field(min_length=1)
    """Host names it is for; `*` covers one label."""
    validity_hours: int = Field(default=8760, ge=24)
    """Lifetime in hours, of a certificate the stack makes."""


class Timeouts(Strict):
    """HAProxy timeouts, in seconds (HAProxy configuration manual, section 4)."""

    connect: float = Field(default=2, gt=0, le=60)
    """To a node."""
    client: float = Field(default=50, gt=0, le=3600)
    """A client's silence."""
    server: float = Field(default=50, gt=0, le=3600)
    """A node's silence."""
    http_request: float = Field(default=10, gt=0, le=300)
    """A whole request's header (slow clients)."""
    http_keep_alive: float = Field(default=10, gt=0, le=300)
    """Between two requests of one connection."""
    queue: float = Field(default=5, gt=0, le=300)
    """Waiting for a free connection to a node."""
    tunnel: float = Field(default=3600, gt=0, le=86_400)
    """Silence of an upgraded connection (WebSocket)."""
    hard_stop_after: float = Field(default=60, gt=0, le=3600)
    """How long a reloaded process may finish its connections."""


class Balancers(Strict):
    """The HAProxy and keepalived pair."""

    machines: list[MachineSpec] = Field(min_length=1, max_length=2)
    """One, or a pair on different hosts."""
    vips: list[BalancerVip] = Field(min_length=1)
    """The failover groups."""
    vrrp: Vrrp = Vrrp()
    """Failover timers."""
    certificate: Certificate
    """The certificate HTTPS is answered with."""
    timeouts: Timeouts = Timeouts()
    """HAProxy's timeouts."""
    max_connections: int = Field(default=10_000, ge=100, le=1_000_000)
    """HAProxy's global maxconn."""
    target: Literal["node-port", "load-balancer-ip"] = "node-port"
    """Where routes send requests: every node's NodePort, or the ingress' LoadBalancer IP."""
    api_port: Port = 6443
    """Port of the Kubernetes API on the VIPs."""
    stats_port: Port = 8404
    """Stats page and Prometheus endpoint, on the management leg only."""
    redirect_to_https: bool = False
    """Answer plain HTTP with a redirect."""

    @property
    def lan_vips(self) -> list[IPv4Address]:
        """Of every group: where the routers forward to, in turn."""
        return [address for vip in self.vips for address in vip.lan]

"""The load balancers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.models.addresses import Address
from settings.models.base import Hostname, Name, Port, Strict, Unit
from settings.models.machines import MachineSpec
from settings.models.vrrp import Vrid, Vrrp

Seconds = Annotated[float, Unit("seconds")]
"""HAProxy counts milliseconds: less than one would be none, and no limit at all."""


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


class Certificate(Strict):
    """Where the balancers' certificate comes from."""

    source: Literal["given", "self-signed", "origin-ca"]
    """`given`: secrets `tlsCertificate` and `tlsKey`. `self-signed`: made by the stack.
    `origin-ca`: signed by Cloudflare's origin CA for a key made by the stack."""
    names: list[Hostname] = Field(min_length=1)
    """Host names it is for; `*` covers one label."""
    validity_hours: Annotated[int, Unit("hours")] = Field(default=8760, ge=24, le=175_200)
    """Lifetime in hours, of a certificate the stack makes."""


class Timeouts(Strict):
    """HAProxy timeouts, in seconds (HAProxy configuration manual, section 4)."""

    connect: Seconds = Field(default=2, ge=0.001, le=60)
    """To a node."""
    client: Seconds = Field(default=50, ge=0.001, le=3600)
    """A client's silence."""
    server: Seconds = Field(default=50, ge=0.001, le=3600)
    """A node's silence."""
    http_request: Seconds = Field(default=10, ge=0.001, le=300)
    """A whole request's header (slow clients)."""
    http_keep_alive: Seconds = Field(default=10, ge=0.001, le=300)
    """Between two requests of one connection."""
    queue: Seconds = Field(default=5, ge=0.001, le=300)
    """Waiting for a free connection to a node."""
    tunnel: Seconds = Field(default=3600, ge=0.001, le=86_400)
    """Silence of an upgraded connection (WebSocket)."""
    hard_stop_after: Seconds = Field(default=60, ge=0.001, le=3600)
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
    max_connections: int = Field(default=10_000, ge=100, le=500_000)
    """HAProxy's global maxconn. Each takes two files, of the 1,048,576 that fs.nr_open allows."""
    target: Literal["node-port", "load-balancer-ip"] = "node-port"
    """Where routes send requests: every node's NodePort, or the ingress' LoadBalancer IP."""
    api_port: Port = 6443
    """Port of the Kubernetes API on the VIPs."""
    stats_port: Port = 8404
    """Stats page and Prometheus endpoint, on the management leg only."""
    redirect_to_https: bool = False
    """Answer plain HTTP with a redirect."""

    @property
    def lan_vips(self) -> list[Address]:
        """Of every group: where the routers forward to, in turn."""
        return [address for vip in self.vips for address in vip.lan]

"""The balancers as plain values: what `verify` judges and `render` writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Literal

from components.host.pair import BACKUP_PRIORITY, OWNER_PRIORITY, Leg
from settings.models import BalancerVip, Timeouts, Vrrp

API_SERVER_PORT = 6443
"""TCP, where the control planes' own API servers listen (kubeadm's default)."""
ALIVE_PORT = 8405
"""TCP, on loopback: HAProxy's own answer to keepalived's check."""
HEALTH_PORT = 8406
"""TCP, on the LAN leg: answers `healthy` to the peer, or what is wrong."""
FIRST_TABLE = 1000
"""Routing tables and rules of our own are numbered from here (ip-route(8): above 255 are free)."""
HTTP_PORT = 80
HTTPS_PORT = 443


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """One balancer; `host` is the hypervisor it stands on."""

    name: str
    host: str
    management: Leg
    lan: Leg


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a backend sends: a name for the statistics, and an address on the LAN."""

    name: str
    address: IPv4Address


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """Packets from `vip` that leave the LAN do so through `gateway`, by a routing table of their
    own; `table` is also the preference of the rule that leads there."""

    vip: IPv4Address
    gateway: IPv4Address
    table: int


@dataclass(frozen=True, kw_only=True)
class BaseModel:
    """A pair of balancers (or one): addresses, and the Kubernetes API.

    `ways_back` maps a LAN VIP whose answers do not leave by the default route to their gateway.
    """

    balancers: tuple[Balancer, ...]
    vips: tuple[BalancerVip, ...]
    vrrp: Vrrp
    timeouts: Timeouts
    max_connections: int
    api_port: int
    stats_port: int
    control_planes: tuple[Server, ...]
    ways_back: Mapping[IPv4Address, IPv4Address] = field(default_factory=dict)

    def balancer(self, name: str) -> Balancer:
        """The balancer called `name`; `KeyError` when there is none."""
        for balancer in self.balancers:
            if balancer.name == name:
                return balancer
        raise KeyError(name)

    def peer(self, name: str) -> Balancer | None:
        """The other balancer of the pair; `None` when there is one only."""
        return next((each for each in self.balancers if each.name != name), None)

    def priority(self, vip: BalancerVip, name: str) -> int:
        """The VRRP priority of `name` in `vip`."""
        return OWNER_PRIORITY if vip.owner == name else BACKUP_PRIORITY

    def ways(self, vip: BalancerVip) -> tuple[WayBack, ...]:
        """The ways back of a group's addresses."""
        return tuple(
            WayBack(vip=address, gateway=self.ways_back[address], table=FIRST_TABLE + index)
            for index, address in enumerate(self.lan_vips)
            if address in vip.lan and address in self.ways_back
        )

    @property
    def lan_vips(self) -> tuple[IPv4Address, ...]:
        """All LAN VIPs, group by group."""
        return tuple(address for vip in self.vips for address in vip.lan)

    @property
    def management_vips(self) -> tuple[IPv4Address, ...]:
        """All management VIPs, group by group."""
        return tuple(address for vip in self.vips for address in vip.management)

    def rollout(self) -> tuple[str, ...]:
        """Names in the order they are pushed: who owns no VIP first."""
        owners = {vip.owner for vip in self.vips}
        return tuple(each.name for each in sorted(self.balancers, key=lambda x: x.name in owners))


@dataclass(frozen=True, kw_only=True)
class RoutesModel:
    """Where requests go: plain ones to the ingress' HTTP port, TLS ones to its HTTPS port.

    With `node-port` they go to every one of `nodes` on `http_port` or `https_port` (NodePorts), as
    long as its `health_port` says that the ingress runs there (`healthCheckNodePort`,
    externalTrafficPolicy Local; `None` checks that the port accepts connections). With
    `load-balancer-ip` they go to ports 80 and 443 of that one address.
    """

    lan_vips: tuple[IPv4Address, ...]
    target: Literal["node-port", "load-balancer-ip"]
    nodes: tuple[Server, ...]
    http_port: int | None
    https_port: int | None
    health_port: int | None
    load_balancer_ip: IPv4Address | None
    timeouts: Timeouts
    client_ip_header: str
    redirect_to_https: bool

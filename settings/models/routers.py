"""Routers and firewalls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from settings.models.addresses import Address, Address6, AnySubnet, Subnet
from settings.models.base import Name, Port, Strict, Unit
from settings.models.bgp import Bgp
from settings.models.forwards import Forward
from settings.models.keys import HostKey
from settings.models.machines import MachineSpec, PhysicalSpec
from settings.models.outbound import Outbound
from settings.models.proxmox import Image
from settings.models.router_snippets import RuleHook, RuleLine
from settings.models.vrrp import Vrid, Vrrp


class RouterVip(Strict):
    """One failover group of the routers: its WAN and LAN addresses move together."""

    name: Name
    """The group's name."""
    owner: Name
    """The router that holds the group while all is well."""
    wan: list[Address] = Field(min_length=1)
    """Public addresses: what the CDN's records point to, and what outbound traffic leaves with."""
    routed: bool = False
    """The WAN addresses are outside networks.wan: the provider routes them to the routers."""
    wan_vrid: Vrid
    """Unique on the WAN."""
    lan: list[Address] = Field(min_length=1)
    """LAN addresses; the first group's first is everybody's gateway."""
    lan_vrid: Vrid
    """Unique on the LAN, the balancers' included."""
    wan6: list[Address6] = Field(default_factory=list)
    """Public IPv6 addresses, of the first group; they move with the others, under the same VRIDs
    (one VRID is a virtual router of each family, RFC 9568, section 1)."""
    lan6: list[Address6] = Field(default_factory=list)
    """IPv6 addresses on the LAN, of the first group; the first is the balancers' way back."""


class RouterNeighbours(Strict):
    """Who is asked whether a router's leg still reaches anybody (ARP: on the leg's own segment)."""

    wan: list[Address] = Field(default_factory=list)
    """Empty: the provider's router, `networks.wan.gateway`."""
    lan: list[Address] = Field(default_factory=list)
    """Empty: the balancers and the control planes."""


class ConnectionLimits(Strict):
    """How many connections are tracked, and how long."""

    conntrack_max: int = Field(default=262_144, ge=4096, le=2**31 - 1)
    """Connections tracked (nf_conntrack_max)."""
    established_timeout: Annotated[int, Unit("seconds")] = Field(
        default=86_400, ge=60, le=2_592_000
    )
    """How long a silent connection is tracked, in seconds: longer than the balancers keep one."""


class Routers(Strict):
    """The redundant routers and firewalls."""

    kind: Literal["linux", "mikrotik", "vyos"] = "linux"
    """`linux`: nftables, keepalived, conntrackd. `mikrotik`: RouterOS 7, on physical routers.
    `vyos`: VyOS 1.4 or 1.5, on virtual machines or physical routers."""
    image: Image | None = None
    """What the routers' disks start from; needed where the kind has a system of its own. Null:
    `proxmox.image`."""
    host_keys: dict[Name, HostKey] = Field(default_factory=dict)
    """SSH host keys by router, for those that take no cloud-init, as physical ones do not."""
    machines: list[MachineSpec] = Field(default_factory=list, max_length=2)
    """One, or a pair on different hosts; none where the kind is physical."""
    physical: list[PhysicalSpec] = Field(default_factory=list, max_length=2)
    """One, or a pair, of a kind whose routers are no virtual machines."""
    vips: list[RouterVip] = Field(min_length=1)
    """The failover groups."""
    vrrp: Vrrp = Vrrp()
    """Failover timers."""
    neighbours: RouterNeighbours = RouterNeighbours()
    """By whom a router of a pair knows that a leg is lost, though its link is up."""
    limits: ConnectionLimits = ConnectionLimits()
    """Connection tracking."""
    public_ports: list[Port] = Field(default_factory=lambda: [80, 443], min_length=1)
    """TCP ports of the public VIPs forwarded to the balancers."""
    management_sources: list[Subnet] = Field(default_factory=list)
    """Who may reach sshd on the management leg; empty means the management network."""
    deny: list[AnySubnet] = Field(default_factory=list)
    """Sources that get nothing from the WAN, a CDN's own ranges included."""
    log_drops_per_minute: Annotated[int, Unit("lines a minute")] = Field(default=0, ge=0, le=600)
    """Dropped packets that each router's firewall logs, at most; 0: none."""
    forwards: list[Forward] = Field(default_factory=list, max_length=500)
    """Ports of the public VIPs that lead past the balancers."""
    outbound: list[Outbound] | None = Field(default=None, max_length=500)
    """What the LAN may open connections to; the rest is rejected (ICMP, administratively
    prohibited). Null: everything."""
    snippets: dict[RuleHook, list[RuleLine]] = Field(default_factory=dict)
    """Rules of nftables, by the chain of the program's table that they go to: `input`, `forward`,
    `prerouting` (DNAT) or `postrouting` (SNAT). The same on both routers."""
    bgp: Bgp | None = None
    """Null: no BGP; the provider routes to the public VIPs."""

    @property
    def members(self) -> Sequence[MachineSpec | PhysicalSpec]:
        """The routers, whatever they are."""
        return [*self.machines, *self.physical]

    @property
    def gateway(self) -> Address:
        """Everybody's way out."""
        return self.vips[0].lan[0]

    @property
    def every_vip(self) -> list[Address | Address6]:
        """Of every group and family: what the routers hold, whichever of them does."""
        found: list[Address | Address6] = []
        for vip in self.vips:
            found += [*vip.wan, *vip.lan]
            found += [*vip.wan6, *vip.lan6]
        return found

    @property
    def gateway6(self) -> Address6 | None:
        """The balancers' way back to visitors by IPv6."""
        return next(iter(self.vips[0].lan6), None)

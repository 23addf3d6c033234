"""Networks: the segments every machine's legs stand on."""

from __future__ import annotations

from pydantic import Field

from settings.models.base import Address, Hostname, Mtu, Strict, Subnet


class Segment(Strict):
    """One layer-2 segment, a bridge on every Proxmox host."""

    cidr: Subnet
    """The segment's network."""
    bridge: str = Field(min_length=1, max_length=15)
    """The Proxmox bridge, such as vmbr1."""
    vlan: int | None = Field(default=None, ge=1, le=4094)
    """VLAN tag on the bridge; null is untagged."""
    mtu: Mtu = 1500
    """Bytes of an IP packet; the pods use the LAN's."""


class Wan(Segment):
    """The segment towards the internet; every router has an address of its own on it."""

    gateway: Address
    """The provider's router, the default route of ours."""
    addressing: str = "per-router"
    """`per-router`: each router has its own WAN address beside the VIP. `vip-only` (one public
    address for both routers) is not supported and is refused by name."""


class Networks(Strict):
    """All address ranges of the stack. IPv4 only: IPv6 is dropped at the routers."""

    management: Segment
    """Where Pulumi and sshd are; never a default route."""
    lan: Segment
    """Routers, balancers and nodes."""
    wan: Wan
    """The routers' way out."""
    sync: Segment | None = None
    """The routers' own link for connection tracking; absent when there is one router."""
    pods: Subnet
    """The pods' range; each node takes a share of it."""
    services: Subnet
    """The Services' cluster addresses."""
    resolvers: list[Address] = Field(min_length=1)
    """DNS servers of every machine, reached through the routers."""
    ntp: list[str] = Field(default_factory=list)
    """NTP servers (names or addresses); empty leaves the clock to the hypervisor."""
    domain: Hostname = "cluster.internal"
    """The search domain and the suffix of the machines' names."""

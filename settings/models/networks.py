"""Networks: the segments every machine's legs stand on."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from settings.models.addresses import (
    IPV4_ONLY,
    IPV4_ONLY_RIGHT,
    Address,
    Address6,
    AnyAddress,
    AnyNetwork,
    Subnet,
    Subnet6,
    edge_of,
    is_address,
    is_ipv6,
)
from settings.models.base import Domain, Form, Strict, fault

Mtu = Annotated[int, Field(ge=1280, le=9216, strict=True)]
"""Bytes of an IP packet the segment carries."""

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NTP = Form(rf"({_LABEL}\.)*{_LABEL}", "is no NTP server", "write a host name or an IPv4 address")


def _clock(server: str) -> str:
    if server == "localhost" or server.endswith(".localhost"):
        raise fault("is each machine itself", "name a server elsewhere, or none: ntp: []")
    if ":" in server and is_ipv6(server):
        raise fault(IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="address or a name"))
    if server.replace(".", "").isdigit() and not is_address(server):
        raise fault(_NTP.wrong, _NTP.right)
    return _NTP.check(server)


NtpServer = Annotated[str, AfterValidator(_clock)]
"""A name or an address."""


def _no_card(name: str) -> str:
    if re.fullmatch(r"(eth|eno|ens|enp|enx|bond)[0-9][0-9a-z.]*|lo", name):
        raise fault("is a network card's name", "write the bridge that is on it, such as vmbr1")
    return name


Bridge = Annotated[
    str,
    AfterValidator(_no_card),
    Form(
        r"[A-Za-z][A-Za-z0-9_.-]{0,14}",
        "is no bridge name",
        "write it as Proxmox shows it, such as vmbr1",
    ),
]
"""Of Linux: at most 15 characters, no blank or slash."""


class Segment(Strict):
    """One layer-2 segment, a bridge on every Proxmox host."""

    cidr: Subnet
    """The segment's network."""
    cidr6: Subnet6 | None = None
    """Its IPv6 network, of the WAN and the LAN where visitors come by IPv6 too; null: IPv4 only."""
    bridge: Bridge
    """The Proxmox bridge, such as vmbr1."""
    vlan: int | None = Field(default=None, ge=1, le=4094)
    """VLAN tag on the bridge; null is untagged."""
    mtu: Mtu = 1500
    """Bytes of an IP packet; the pods use the LAN's."""

    @property
    def subnets(self) -> dict[str, AnyNetwork]:
        """Every subnet of the segment by the key that names it."""
        return {"cidr": self.cidr, **({} if self.cidr6 is None else {"cidr6": self.cidr6})}

    @property
    def written(self) -> str:
        """Its subnets, for messages."""
        return ", ".join(map(str, self.subnets.values()))

    def subnet_of(self, address: AnyAddress) -> AnyNetwork | None:
        """The segment's subnet that an address is of."""
        return next((each for each in self.subnets.values() if address in each), None)

    def edge_of(self, address: AnyAddress) -> str | None:
        """What the address is called if it is of the segment and no machine may hold it."""
        subnet = self.subnet_of(address)
        return None if subnet is None else edge_of(address, subnet)


class Wan(Segment):
    """The segment towards the internet; every router has an address of its own on it, a public one
    unless `public` is set."""

    public: Subnet | None = None
    """The provider's subnet, where it has no address for each router: the gateway and the VIPs are
    there, and the routers' own addresses on `cidr`, a private range of the stack's choice. Null:
    all of them are on `cidr`."""
    gateway: Address
    """The provider's router, the default route of ours."""
    gateway6: Address6 | None = None
    """The same by IPv6; may be its link-local address."""

    @property
    def subnets(self) -> dict[str, AnyNetwork]:
        """Every subnet of the segment by the key that names it."""
        return {**super().subnets, **({} if self.public is None else {"public": self.public})}


class Networks(Strict):
    """All address ranges of the stack. IPv6, where WAN and LAN have it, is a visitor's way to the
    balancers; everything else is IPv4."""

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
    ntp: list[NtpServer] = Field(default_factory=list)
    """NTP servers (names or addresses); empty leaves the clock to the hypervisor."""
    domain: Domain = "cluster.internal"
    """The search domain and the suffix of the machines' names."""

    @property
    def ipv6(self) -> bool:
        """Whether visitors come by IPv6 too."""
        return self.wan.cidr6 is not None

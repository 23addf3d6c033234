"""One machine, whatever its role."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from settings.models.addresses import Address, Address6
from settings.models.base import Form, Name, Port, Strict, Unit, fault
from settings.models.distributions import DistributionName

NodeName = Annotated[
    str,
    Form(
        r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
        "is no name of a Proxmox node",
        "write it as the Proxmox cluster calls it: letters, digits and dashes",
    ),
]
"""A host name (RFC 1123); capitals stay."""


def _own(name: str) -> str:
    if name in ("localhost", "broadcasthost") or name.startswith(("ip6-", "localhost-")):
        raise fault("is every machine's own name for itself", "write another, such as worker-1")
    return name


MachineName = Annotated[Name, AfterValidator(_own)]
"""Stands in every machine's /etc/hosts."""


class MachineSpec(Strict):
    """One virtual machine. Its legs stand on the networks its role has."""

    name: MachineName
    """Host name and resource name: a change replaces the machine."""
    host: NodeName
    """The Proxmox host it stands on."""
    vm_id: int = Field(ge=100, le=999_999_999)
    """The Proxmox id, unique in the Proxmox cluster."""
    cores: int = Field(default=2, ge=1, le=256)
    """Virtual CPUs."""
    memory: Annotated[int, Unit("MiB")] = Field(default=2048, ge=1, le=2_097_152)
    """MiB."""
    disk: Annotated[int, Unit("GiB")] = Field(default=16, ge=1, le=16_000)
    """GiB."""
    management: Address
    """Address on the management segment."""
    lan: Address
    """Address on the LAN."""
    wan: Address | None = None
    """A router's own address on the WAN, beside the VIP; only routers have one."""
    sync: Address | None = None
    """A router's address on the sync segment; needed by both of a pair."""
    lan6: Address6 | None = None
    """A router's or balancer's IPv6 address on the LAN, where that has `cidr6`."""
    wan6: Address6 | None = None
    """A router's IPv6 address on the WAN, where that has `cidr6`."""
    distribution: DistributionName | None = None
    """What is on it, until it is made anew, where its role's image is of another one by now. Null:
    what is on the image."""


InterfaceName = Annotated[
    str,
    Form(
        r"[A-Za-z0-9]([A-Za-z0-9._-]{0,38}[A-Za-z0-9])?",
        "is no name of an interface",
        "write it as the machine calls it, such as ether1 or sfp-sfpplus1",
    ),
]
"""As it stands in the machine's own configuration, without blanks."""


class Interfaces(Strict):
    """Which interface of a physical machine is which leg: a port, a VLAN on one, a bridge."""

    management: InterfaceName
    """The management leg's, which has its address already."""
    lan: InterfaceName
    """The LAN's."""
    wan: InterfaceName
    """The WAN's."""
    sync: InterfaceName | None = None
    """That of the link between two routers; needed with `sync`."""


class PhysicalSpec(Strict):
    """A machine that stands in a rack: nobody makes it, and it is reached over SSH."""

    name: MachineName
    """Resource name."""
    management: Address
    """Its address on the management segment, which it has already."""
    lan: Address
    """Address on the LAN."""
    wan: Address
    """Its own address on the WAN, beside the VIP."""
    sync: Address | None = None
    """Address on the sync segment; needed by both of a pair."""
    interfaces: Interfaces
    """Which of its interfaces is which leg."""
    ssh_port: Port = 22
    """Its SSH server's port."""

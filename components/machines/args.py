"""What the machines' layer is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.host.machine import ORDINARY, Start
from components.machines.keys import public_key_of
from settings.models import Image, MachineSpec, Networks, PhysicalSpec, Proxmox


@dataclass(frozen=True, kw_only=True)
class DeployKey:
    """The key pair with which the program logs in: OpenSSH texts, the private one a secret."""

    private_key: pulumi.Input[str]
    public_key: pulumi.Input[str]

    @classmethod
    def of(cls, private_key: pulumi.Output[str] | None) -> DeployKey | None:
        """The pair of a given private key; None without one, so that the stack makes its own."""
        if private_key is None:
            return None
        public = pulumi.Output.unsecret(private_key.apply(public_key_of))
        return cls(private_key=private_key, public_key=public)


@dataclass(frozen=True, kw_only=True)
class MachinesArgs:
    """`machines` are pairs of role (router, balancer, control_plane, worker) and machine;
    `physical` the same of machines that are there already, and are only reached.

    `lan_gateway` is the default route of every machine that is not a router: the routers' VIP on
    the LAN; `lan_gateway6` the same by IPv6, of those that have it. Routers leave by the WAN
    segment's gateways. No machine has a route through the management network. Without `deploy_key`
    the stack makes one; `deploy_key_before` is given for the one update that brings another.
    `starts` says what machines of a role start from, where that is not what everybody does. To
    machines of `volume_roles` somebody else gives disks, which an update leaves alone.
    """

    environment: str
    networks: Networks
    proxmox: Proxmox
    machines: Sequence[tuple[str, MachineSpec]]
    lan_gateway: IPv4Address
    lan_gateway6: IPv6Address | None = None
    deploy_key: DeployKey | None = None
    deploy_key_before: DeployKey | None = None
    physical: Sequence[tuple[str, PhysicalSpec]] = ()
    starts: Mapping[str, Start] = field(default_factory=dict)
    volume_roles: Collection[str] = ()

    def start(self, role: str) -> Start:
        """What machines of a role start from."""
        return self.starts.get(role, ORDINARY)

    def image(self, role: str) -> Image:
        """The image of a role's disks."""
        return self.start(role).image or self.proxmox.image

    def whose(self, image: Image) -> str:
        """What goes before an image in its downloads' names: nothing for everybody's, else the
        first role that starts from it, whatever stands on a host."""
        if image == self.proxmox.image:
            return ""
        return next(
            f"{role.replace('_', '-')}-" for role in self.starts if self.image(role) == image
        )

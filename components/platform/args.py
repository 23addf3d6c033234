"""What the platform's layer is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.host import ApiEndpoint, Machine
from components.host.bgp import Peering
from components.host.target import Target
from components.platform.addon import Site
from settings.models import Networks, PublicService
from settings.models import Platform as PlatformSettings


@dataclass(frozen=True, kw_only=True)
class PlatformArgs:
    """`cluster_identity` names the very cluster: while it stays, a new kubeconfig replaces nothing;
    another one is another cluster, and gets everything anew. Of `api`, the VIP on the LAN is what
    the nodes' own agents use. `trusted` are the balancers' own LAN addresses, the only ones whose
    PROXY header is believed. `control_planes_work` says that control planes take ordinary pods.
    `control_plane` is a living one, with kubectl and the administrator's kubeconfig; which, is the
    cluster's choice. `peering` are the routers' BGP sessions, `bgp_passwords` the lines
    NAME=PASSWORD of those that have one, `secrets` the lines NAMESPACE/NAME/KEY=VALUE, one for each
    key of the Secrets that addons refer to. `targets` are the machines' exporters, `vips` every VIP
    by the role (router, balancer) of the machines that hold it, `services` what visitors reach by
    names of their own. `senders` are the machines that are no nodes and send lines, by their LAN
    addresses. `backed_up` says that control planes ship backups of the cluster. `epoch` asks the
    cluster again for what is read back from it.
    """

    settings: PlatformSettings
    networks: Networks
    kubeconfig: pulumi.Input[str]
    cluster_identity: pulumi.Input[str]
    control_plane: Machine
    api: ApiEndpoint
    node_count: int
    control_planes_work: bool
    trusted: Sequence[IPv4Address]
    peering: Peering | None = None
    bgp_passwords: pulumi.Input[str] | None = None
    secrets: pulumi.Input[str] | None = None
    targets: Sequence[Target] = ()
    vips: Mapping[str, Sequence[IPv4Address | IPv6Address]] = field(default_factory=dict)
    services: Sequence[PublicService] = ()
    senders: Mapping[str, IPv4Address] = field(default_factory=dict)
    backed_up: bool = False
    epoch: str = "1"

    @property
    def site(self) -> Site:
        """What the addons are made from."""
        return Site(
            settings=self.settings,
            networks=self.networks,
            api=self.api,
            lan_interface=self.control_plane.interfaces.get("lan", ""),
            node_count=self.node_count,
            control_planes_work=self.control_planes_work,
            trusted=tuple(self.trusted),
            peering=self.peering,
            targets=tuple(self.targets),
            vips=self.vips,
            services=tuple(self.services),
            senders=dict(self.senders),
            backed_up=self.backed_up,
        )

"""What the platform's layer is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi

from components.host import Machine
from settings.models import Networks
from settings.models import Platform as PlatformSettings


@dataclass(frozen=True, kw_only=True)
class PlatformArgs:
    """`cluster_identifier` names the cluster for good: while it stays, a new kubeconfig replaces
    nothing. `api_host` and `api_port` are the API's VIP on the LAN, which the nodes' own agents
    use. `lan_interface` is the nodes' LAN leg, the only one on which services are served;
    `trusted` are the balancers' own LAN addresses, the only ones whose PROXY header is believed.
    `control_planes_work` says that control planes take ordinary pods. `control_plane` is a machine
    with kubectl and the administrator's kubeconfig.
    """

    settings: PlatformSettings
    networks: Networks
    kubeconfig: pulumi.Input[str]
    cluster_identifier: str
    control_plane: Machine
    api_host: IPv4Address
    api_port: int
    lan_interface: str
    node_count: int
    control_planes_work: bool
    trusted: Sequence[IPv4Address]

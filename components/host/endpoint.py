"""Where the Kubernetes API is reached: given by the balancers, taken by cluster and platform."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address


@dataclass(frozen=True, kw_only=True)
class ApiEndpoint:
    """Where the balancers serve the Kubernetes API: a VIP on the LAN for the nodes, one on the
    management network for operators and this program; one port for all. `others` are the VIPs of
    further groups, which serve it too."""

    lan: IPv4Address
    management: IPv4Address
    others: tuple[IPv4Address, ...] = ()
    port: int = 6443

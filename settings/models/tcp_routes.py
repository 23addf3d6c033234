"""TCP services that the balancers pass on as they are."""

from __future__ import annotations

from pydantic import Field

from settings.models.addresses import Subnet
from settings.models.base import Name, Port, Seconds, Strict
from settings.models.platform import NodePort


class TcpRoute(Strict):
    """One port of the balancers' LAN VIPs that leads to a service's NodePort."""

    name: Name
    """Its frontend and backend in the statistics are `tcp_NAME`."""
    port: Port
    """Where the balancers listen; one of `routers.forwards` leads there."""
    node_port: NodePort
    """The service's own, on every node."""
    sources: list[Subnet] = Field(default_factory=list)
    """Who may connect; others are closed at once. Empty: anybody."""
    proxy_protocol: bool = False
    """Tell the service the client's address (PROXY version 2); it must take such headers, its
    health check's too."""
    idle_timeout: Seconds = Field(default=3600, ge=1, le=86_400)
    """Silence of either end after which a connection is closed."""
    max_connections: int = Field(default=1000, ge=1, le=100_000)
    """Connections at a time, out of `balancers.max_connections`; more wait in the kernel's
    queue."""

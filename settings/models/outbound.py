"""What the inside may reach through the routers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from settings.models.addresses import Address, AnyNetwork, Subnet, collapsed
from settings.models.base import Name, Port, Strict


class Outbound(Strict):
    """New connections that the routers let out."""

    name: Name
    """Its counter is called `let_out_NAME`."""
    protocol: Literal["tcp", "udp", "icmp", "any"] = "tcp"
    """`icmp`: echo requests (ping). `any`: whatever is IPv4. Errors by ICMP belong to their
    connection and pass without."""
    ports: list[Port] = Field(default_factory=list)
    """Destination ports of TCP or UDP; empty: any."""
    last: Port | None = None
    """The last port of a range that starts with the one of `ports`; null: no range."""
    to: list[Subnet] = Field(default_factory=list)
    """Networks with their prefix length, such as 192.0.2.53/32; empty: anywhere."""

    @property
    def destinations(self) -> list[AnyNetwork]:
        """`to` without overlaps, as nftables wants the elements of a set."""
        return collapsed(self.to)

    def lets(self, protocol: str, port: int, to: Address | None) -> bool:
        """Whether a connection by TCP or UDP to a port is let out; `to` is None for an address
        that is not known here, a name's, which any destination may be."""
        if self.protocol not in (protocol, "any"):
            return False
        if self.ports and not any(each <= port <= (self.last or each) for each in self.ports):
            return False
        return not self.to or to is None or any(to in each for each in self.to)

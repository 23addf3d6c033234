"""What the routers forward to single machines or services inside."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from settings.models.addresses import Address, Subnet
from settings.models.base import Name, Port, Strict


class Forward(Strict):
    """One port, or a range of ports, of the public VIPs that leads to an address inside."""

    name: Name
    """Its counter is called `forward_NAME`."""
    protocol: Literal["tcp", "udp"] = "tcp"
    """Of IP."""
    port: Port
    """The port outside; the first of a range."""
    last: Port | None = None
    """The last port of a range; null: one port."""
    to: Address
    """An address of the LAN, or of a pool that the nodes announce by BGP; its machine's default
    route is the LAN gateway."""
    to_port: Port | None = None
    """The port inside; null: the same. A range keeps its ports."""
    vip: Address | None = None
    """The public VIP; null: every one of the first group's router."""
    sources: list[Subnet] = Field(default_factory=list)
    """Who may call; empty: anybody."""
    per_source: int = Field(default=0, ge=0, le=100_000)
    """New connections a second from one source, at most; 0: no limit."""

    @property
    def end(self) -> int:
        """The last port outside."""
        return self.port if self.last is None else self.last

    @property
    def inside(self) -> tuple[int, int]:
        """The first and the last port inside."""
        if self.to_port is not None:
            return self.to_port, self.to_port
        return self.port, self.end

"""VRRP: what every failover group has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.models.base import Strict, Unit

Vrid = Annotated[int, Field(ge=1, le=255, strict=True)]
"""Virtual router identifier, unique on a segment (RFC 5798, 5.2.3)."""


class Vrrp(Strict):
    """VRRP version 3 timers (keepalived.conf(5)); priorities follow from each VIP's owner."""

    advert_interval: Annotated[float, Unit("seconds")] = Field(default=0.3, ge=0.1, le=3)
    """Seconds, in steps of 0.01. A backup takes over after three of them plus the skew,
    so that 3 is a dead owner for 9 seconds and more."""
    preempt: bool = True
    """Give the VIP back to its owner when it returns."""
    preempt_delay: Annotated[int, Unit("seconds")] = Field(default=5, ge=0, le=1000)
    """Seconds the returning owner waits, so that it does not return before its network does."""
    startup_delay: Annotated[int, Unit("seconds")] = Field(default=2, ge=0, le=300)
    """Seconds a starting keepalived stays silent (vrrp_startup_delay)."""
    garp_master_refresh: Annotated[int, Unit("seconds")] = Field(default=60, ge=0, le=86_400)
    """Seconds between repeated gratuitous ARPs."""
    leg_interval: Annotated[float, Unit("seconds")] = Field(default=0.2, ge=0.05, le=10)
    """Seconds between two questions to the neighbours of a leg (ARP)."""
    leg_fall: int = Field(default=3, ge=2, le=100)
    """Questions in a row that no neighbour answers, until a leg counts as lost."""
    leg_hold: Annotated[int, Unit("seconds")] = Field(default=5, ge=0, le=3600)
    """Seconds a leg must have its neighbours back before the machine takes addresses again."""

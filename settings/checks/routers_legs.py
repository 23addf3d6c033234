"""What routers lack that ask no neighbours whether a leg is lost: rows of such kinds' `lacking`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_INSTEAD: Final = "nobody asks neighbours whether a leg is lost"

UNASKED: Final[Mapping[str, str]] = dict.fromkeys(
    ("vrrp.leg_interval", "vrrp.leg_fall", "vrrp.leg_hold", "neighbours.wan", "neighbours.lan"),
    _INSTEAD,
)
"""Keys below `routers` (`Asks.lacking` in `routers_kind`)."""

"""The routers: firewall, address translation, failover of the WAN and LAN addresses."""

from components.routers.args import RoutersArgs
from components.routers.component import Routers

__all__ = ["Routers", "RoutersArgs"]

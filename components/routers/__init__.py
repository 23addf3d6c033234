"""The routers: firewall, address translation, failover of the WAN and LAN addresses."""

from components.routers.args import RoutersArgs
from components.routers.component import Routers
from components.routers.kinds import start, with_baseline

__all__ = ["Routers", "RoutersArgs", "start", "with_baseline"]

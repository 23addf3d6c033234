"""What two machines that share addresses by VRRP need, whatever they do beside. Pure.

`Pair` says who owns what, who the peer is and who is changed first; `legs` judges where the
machines stand; `keepalived`, `watch` and `health` are the parts that every pair has; `owner_guard`
keeps the owner untouched while its peer could not take over.
"""

from components.host.pair.legs import Leg, leg, leg_problems, neighbours
from components.host.pair.pair import (
    BACKUP_PRIORITY,
    HEALTH_PORT,
    OWNER_PRIORITY,
    Pair,
    owner_guard,
)

__all__ = [
    "BACKUP_PRIORITY",
    "HEALTH_PORT",
    "OWNER_PRIORITY",
    "Leg",
    "Pair",
    "leg",
    "leg_problems",
    "neighbours",
    "owner_guard",
]

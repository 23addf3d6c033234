"""Routers that are Linux machines: nftables, conntrackd and keepalived, pushed over SSH."""

from components.routers.linux.kind import make

__all__ = ["make"]

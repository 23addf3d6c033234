"""VyOS routers: 1.4 and 1.5, virtual or physical, configured by one commit."""

from components.routers.vyos.kind import START, make

__all__ = ["START", "make"]

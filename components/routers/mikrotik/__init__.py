"""MikroTik routers: RouterOS 7 on a pair of physical machines, configured by a script."""

from components.routers.mikrotik.kind import START, make

__all__ = ["START", "make"]

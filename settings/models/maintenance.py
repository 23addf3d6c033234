"""Machines that are looked after."""

from __future__ import annotations

from pydantic import Field

from settings.models.base import Name, Strict


class Maintenance(Strict):
    """What is taken out of use without being taken out of the stack."""

    machines: list[Name] = Field(default_factory=list)
    """Routers, balancers and nodes that take no new connection as long as they are named here. They
    stay reachable, are pushed to, and finish what they have begun. Nodes are cordoned and
    drained. One whose VM waits for a restart gets it."""

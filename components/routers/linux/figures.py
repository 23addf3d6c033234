"""How a router's BGP sessions are, for Prometheus. Pure."""

from __future__ import annotations

from components.host.part import Part
from components.host.speakers import figures
from components.routers.model import Router, RoutersModel


def part(model: RoutersModel, _router: Router) -> Part | None:
    """See `components.host.speakers.figures`; None without BGP, or without a node_exporter."""
    peering = model.peering
    return None if peering is None else figures.part(peering, bfd=peering.with_bfd)

"""Everything that is installed on a cluster: one file an addon, one row each."""

from __future__ import annotations

from collections.abc import Callable

from components.platform import cilium, demo, metallb
from components.platform.addon import Addon, Site
from components.platform.ingress import CONTROLLERS


def ingress(site: Site) -> Addon:
    """The ingress controller that the stack chose."""
    return CONTROLLERS[site.settings.ingress.kind].addon(site)


ADDONS: tuple[Callable[[Site], Addon | None], ...] = (
    cilium.addon,
    metallb.addon,
    ingress,
    demo.addon,
)
"""`None` of one says that the stack does without. None waits for another but for the network."""


def addons(site: Site) -> tuple[Addon, ...]:
    """What goes to this cluster."""
    return tuple(made for make in ADDONS if (made := make(site)) is not None)

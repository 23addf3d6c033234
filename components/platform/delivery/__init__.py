"""Who delivers out of a Git repository: one file a kind, one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.platform.addon import Addon, Site
from components.platform.delivery import argo_cd, flux
from settings.models import Delivery

DELIVERIES: Mapping[str, Callable[[Delivery], Addon]] = {
    "flux": flux.made,
    "argo-cd": argo_cd.made,
}
"""By the word of `platform.delivery.kind`."""


def addon(site: Site) -> Addon | None:
    """What the stack chose, where it hands anything over."""
    given = site.settings.delivery
    return None if given is None else DELIVERIES[given.kind](given)

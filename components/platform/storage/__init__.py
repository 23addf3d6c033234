"""Who makes volumes: one file a kind, one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.platform.addon import Addon, Site
from components.platform.storage import proxmox_csi
from settings.models import PlatformStorage

STORAGES: Mapping[str, Callable[[PlatformStorage], Addon]] = {"proxmox-csi": proxmox_csi.made}
"""By the word of `platform.storage.kind`."""


def addon(site: Site) -> Addon | None:
    """What the stack chose, where it has any."""
    given = site.settings.storage
    return None if given is None else STORAGES[given.kind](given)

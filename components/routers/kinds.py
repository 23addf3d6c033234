"""Every kind of router, by its word in the settings: a new one is a folder and a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from components.host import Machine, Start
from components.host.machine import ORDINARY
from components.routers import linux, mikrotik, vyos
from components.routers.contract import Kind
from settings.models import Routers

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "linux": Kind(make=linux.make, start=ORDINARY, baseline=True),
        "mikrotik": Kind(make=mikrotik.make, start=mikrotik.START, baseline=False),
        "vyos": Kind(make=vyos.make, start=vyos.START, baseline=False),
    }
)
"""`routers.kind` to what such routers are."""


def start(settings: Routers) -> Start:
    """What the routers' machines start from."""
    return replace(KINDS[settings.kind].start, image=settings.image, host_keys=settings.host_keys)


def with_baseline(settings: Routers, machines: Sequence[Machine]) -> Sequence[Machine]:
    """Those of the routers' machines that take the baseline: all, or none of an appliance's."""
    return machines if KINDS[settings.kind].baseline else ()

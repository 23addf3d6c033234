"""Every kind of router, by its word in the settings: a new one is a folder and a row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from components.routers import linux
from components.routers.contract import Kind

KINDS: Mapping[str, Kind] = MappingProxyType({"linux": linux.make})
"""`routers.kind` to what makes such routers."""

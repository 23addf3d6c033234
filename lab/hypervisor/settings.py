"""What every process of one hypervisor agrees on; written once by `up`, read by all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.hypervisor.layout import Layout
from lab.network import Topology


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The lab's networks, and where unpacked images are kept (a cache that survives)."""

    topology: Topology
    image_cache: Path

    def write(self, layout: Layout) -> None:
        """Write them for the other processes."""
        layout.root.mkdir(parents=True, exist_ok=True)
        data = {
            "prefix": self.topology.prefix,
            "topology": self.topology.to_mapping(),
            "image_cache": str(self.image_cache),
        }
        layout.settings.write_text(json.dumps(data, indent=1))

    @classmethod
    def read(cls, layout: Layout) -> Settings:
        """Read what `up` wrote; raises `FileNotFoundError` when there is no lab."""
        data: dict[str, Any] = json.loads(layout.settings.read_text())
        topology = Topology.from_mapping(data["topology"], prefix=data["prefix"])
        return cls(topology=topology, image_cache=Path(data["image_cache"]))

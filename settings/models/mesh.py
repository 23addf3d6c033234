"""A service mesh: mutual TLS between pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from settings.models.base import Name, Strict
from settings.models.charts import Chart


@dataclass(frozen=True, kw_only=True)
class MeshTraits:
    """Of a kind of mesh: the names of its charts by the keys of `Mesh`, and whether the ingress
    `joins` it, and so speaks mutual TLS to the pods behind it."""

    charts: Mapping[str, str]
    joins: bool


MESH_KINDS: Final[Mapping[str, MeshTraits]] = MappingProxyType(
    {
        "istio": MeshTraits(
            charts={"crds": "base", "cni": "cni", "control_plane": "istiod"}, joins=False
        ),
        "linkerd": MeshTraits(
            charts={
                "crds": "linkerd-crds",
                "cni": "linkerd2-cni",
                "control_plane": "linkerd-control-plane",
            },
            joins=True,
        ),
    }
)
"""By the word of `platform.mesh.kind`."""


class Mesh(Strict):
    """Mutual TLS between the pods of some namespaces, by a proxy beside each."""

    kind: Literal["istio", "linkerd"]
    """Whose: Istio (with sidecars) or Linkerd."""
    crds: Chart
    """The chart with its kinds: Istio's base, or linkerd-crds."""
    cni: Chart
    """The chart that leads pods' connections to their proxies: Istio's cni, or linkerd2-cni."""
    control_plane: Chart
    """The chart of its control plane: istiod, or linkerd-control-plane."""
    namespaces: list[Name] = Field(min_length=1, max_length=200)
    """Whose pods are in it: namespaces of services with an image, of `platform.charts`, or echo of
    the demonstration. Pods that run get their proxy when they are started anew."""

    @property
    def traits(self) -> MeshTraits:
        """Of its kind."""
        return MESH_KINDS[self.kind]

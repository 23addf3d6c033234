"""What a kind of mesh is: three releases, and what makes a namespace a part of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from components.platform.addon import Addon, Object, Site, Webhook
from settings.models import Mesh

Maker = Callable[[Site, Mesh], Addon]


@dataclass(frozen=True, kw_only=True)
class MeshKind:
    """A row of `MESHES`.

    `crds`, `cni` and `control_plane` make an addon each; `labels` and `annotations` are those of a
    namespace that is in the mesh, `ingress` the annotations of the ingress' own. `entrance` makes
    the object, where it takes one, that lets the ingress in to pods, by their namespace, their
    labels and the port that it asks.
    """

    crds: Maker
    cni: Maker
    control_plane: Maker
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    ingress: Mapping[str, str] = field(default_factory=dict)
    entrance: Callable[[str, Mapping[str, str], int], Object] | None = None
    webhook: Webhook | None = None
    """Who judges those objects."""

"""A service mesh: one file a kind, one row each; and who is in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from components.platform import demo
from components.platform.addon import Addon, Object, Site
from components.platform.ingress import CONTROLLERS
from components.platform.mesh import istio, linkerd
from components.platform.mesh.kind import MeshKind
from components.platform.workload import labels_of
from settings.models import Mesh

MESHES: Mapping[str, MeshKind] = {"istio": istio.KIND, "linkerd": linkerd.KIND}
"""By the word of `platform.mesh.kind`."""
ENTRANCES = "mesh-entrances"


def crds(site: Site) -> Addon | None:
    """The mesh's kinds, where the stack has a mesh."""
    given = site.settings.mesh
    return None if given is None else MESHES[given.kind].crds(site, given)


def cni(site: Site) -> Addon | None:
    """What leads connections to the proxies."""
    given = site.settings.mesh
    return None if given is None else MESHES[given.kind].cni(site, given)


def control_plane(site: Site) -> Addon | None:
    """Its control plane."""
    given = site.settings.mesh
    return None if given is None else MESHES[given.kind].control_plane(site, given)


def joined(site: Site, installed: Iterable[Addon]) -> tuple[Addon, ...]:
    """All of them, with what makes their namespaces a part of the mesh; whose pods are to have a
    proxy, waits for those who give it. Where the ingress needs a way in to them, that is last."""
    given = site.settings.mesh
    if given is None:
        return tuple(installed)
    kind = MESHES[given.kind]
    plane = kind.control_plane(site, given).name
    ingress = CONTROLLERS[site.settings.ingress.kind].name
    made = []
    for each in installed:
        if each.namespace in given.namespaces:
            waits = (*each.after, plane)
            made.append(
                replace(each, labels=kind.labels, annotations=kind.annotations, after=waits)
            )
        elif each.name == ingress and kind.ingress:
            made.append(replace(each, annotations=kind.ingress, after=(*each.after, plane)))
        else:
            made.append(each)
    return (*made, *_entrances(site, given, kind, made))


def _entrances(
    site: Site, given: Mesh, kind: MeshKind, installed: Iterable[Addon]
) -> tuple[Addon, ...]:
    if kind.entrance is None:
        return ()
    asked = {each.name: each.port for each in site.services if each.image is not None}
    asked[demo.NAME] = demo.PORT
    there = [
        each.name for each in installed if each.name in asked and each.namespace in given.namespaces
    ]
    objects: dict[str, Object] = {
        f"mesh-entrance-{name}": kind.entrance(name, labels_of(name), asked[name]) for name in there
    }
    if not objects:
        return ()
    plane = kind.control_plane(site, given)
    return (
        Addon(
            name=ENTRANCES,
            namespace=plane.namespace,
            objects=objects,
            webhook=kind.webhook,
            after=(plane.name, *there),
        ),
    )

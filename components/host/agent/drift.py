"""Drift: what the manifests say against what is true."""

from __future__ import annotations

from collections.abc import Sequence

from . import files, packages, services
from .store import Json, Store


def report(store: Store, layers: Sequence[str] | None = None) -> list[Json]:
    """One entry a layer: `{layer, machine, generation, confirmed, drift: [{what, is}]}`."""
    return [
        {
            "layer": layer,
            "machine": manifest["machine"],
            "generation": manifest["generation"],
            "confirmed": manifest["confirmed"],
            "at": manifest["at"],
            "drift": _drift(manifest, pending=store.read(layer, "pending")),
        }
        for layer, manifest in store.manifests()
        if layers is None or layer in layers
    ]


def _drift(manifest: Json, pending: Json | None) -> list[Json]:
    found = []
    for path, record in manifest["files"].items():
        difference = files.difference(path, record)
        if difference is not None:
            found.append({"what": path, "is": difference})
    installed = packages.versions(list(manifest["packages"]))
    for name, version in manifest["packages"].items():
        if installed.get(name) != version:
            now = installed.get(name, "not installed")
            found.append({"what": f"package {name}", "is": f"{now}, not {version}"})
    for service in manifest["services"]:
        if not services.settled(service):
            state = services.state(service["name"])
            words = [word if state[word] else f"not {word}" for word in ("active", "enabled")]
            found.append({"what": services.unit(service["name"]), "is": ", ".join(words)})
    if pending is not None and pending["phase"] != "unconfirmed":
        found.append({"what": "push", "is": "cut half way, to be put back by the next one"})
    return found

"""Everything that is installed on a cluster: one file an addon, one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter

from components.host.text import merged
from components.platform import (
    cert_manager,
    cilium,
    delivery,
    demo,
    further,
    mesh,
    metallb,
    monitoring,
    services,
    storage,
    velero,
)
from components.platform.addon import Addon, Site
from components.platform.ingress import CONTROLLERS
from components.platform.logging import alloy, loki


def ingress(site: Site) -> Addon:
    """The ingress controller that the stack chose."""
    return CONTROLLERS[site.settings.ingress.kind].addon(site)


ADDONS: tuple[Callable[[Site], Addon | None], ...] = (
    cilium.addon,
    metallb.addon,
    ingress,
    cert_manager.addon,
    monitoring.addon,
    loki.addon,
    alloy.addon,
    storage.addon,
    delivery.addon,
    velero.addon,
    mesh.crds,
    mesh.cni,
    mesh.control_plane,
    demo.addon,
)
"""`None` of one says that the stack does without. None waits for another but for the network, and
for those that it names (`Addon.after`)."""


def addons(site: Site) -> tuple[Addon, ...]:
    """What goes to this cluster: the stack's further charts and its services last."""
    ours = carried([made for make in ADDONS if (made := make(site)) is not None])
    installed = (*ours, *further.addons(site))
    return mesh.joined(site, (*installed, *services.addons(site, installed)))


def carried(made: Sequence[Addon]) -> list[Addon]:
    """The same, the values of those that another's release carries laid over that one's."""
    found = {each.name: each for each in made}
    for each in made:
        if each.carrier is not None:
            carrier = found[each.carrier]
            found[carrier.name] = replace(carrier, values=merged(carrier.values, each.values))
            found[each.name] = replace(each, values={}, after=(*each.after, carrier.name))
    return list(found.values())


def in_order(installed: Iterable[Addon]) -> list[Addon]:
    """Those that bring the pod network first, and each after those that it names; `CycleError`
    where two wait for each other."""
    by_name = {each.name: each for each in sorted(installed, key=lambda each: not each.network)}
    waiting = TopologicalSorter({name: each.after for name, each in by_name.items()})
    return [by_name[name] for name in waiting.static_order()]

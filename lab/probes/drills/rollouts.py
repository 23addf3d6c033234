"""Parts of the data path replaced on purpose, as an upgrade does: one node after the other."""

from __future__ import annotations

from collections.abc import Callable

from lab.probes.rollouts import ingress_pods, replaced
from lab.probes.world import World


def ingress(world: World, _victim: str) -> None:
    """Every pod of the ingress."""
    replaced(world, *ingress_pods(world))


def pods_of(namespace: str, name: str) -> Callable[[World, str], None]:
    """Every pod of a DaemonSet."""

    def breaks(world: World, _victim: str) -> None:
        replaced(world, namespace, f"daemonset/{name}")

    return breaks

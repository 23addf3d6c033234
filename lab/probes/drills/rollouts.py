"""Parts of the data path replaced on purpose, as an upgrade does: one node after the other."""

from __future__ import annotations

from collections.abc import Callable

from components.platform.ingress import CONTROLLERS
from lab.probes.world import World

SECONDS = 300


def _replaced(world: World, namespace: str, name: str) -> None:
    words = ["--namespace", namespace, f"daemonset/{name}"]
    world.kubectl("rollout", "restart", *words)
    world.kubectl("rollout", "status", f"--timeout={SECONDS}s", *words, seconds=SECONDS + 30)


def ingress(world: World, _victim: str) -> None:
    """Every pod of the ingress."""
    controller = CONTROLLERS[world.stack.platform.ingress.kind]
    _replaced(world, controller.namespace, controller.name)


def pods_of(namespace: str, name: str) -> Callable[[World, str], None]:
    """Every pod of a DaemonSet."""

    def breaks(world: World, _victim: str) -> None:
        _replaced(world, namespace, name)

    return breaks

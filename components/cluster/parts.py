"""The parts of a node. A further daemon is a file beside this one and a row here. Pure."""

from __future__ import annotations

from collections.abc import Callable

from components.cluster import backup, containerd, extras, kubeadm, kubelet, leg, system
from components.cluster.model import NodeModel
from components.host.part import Part

PARTS: tuple[Callable[[NodeModel], Part | None], ...] = (
    system.part,
    leg.part,
    containerd.part,
    kubelet.part,
    kubeadm.part,
    backup.part,
    extras.part,
)
"""In the order in which units are brought up; None from a part that a node does without."""


def parts(node: NodeModel) -> tuple[Part, ...]:
    """The parts of one node."""
    made = (part(node) for part in PARTS)
    return tuple(each for each in made if each is not None)

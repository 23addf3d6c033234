"""Storage and the machines that get volumes: the nodes' labels are those that volumes are placed
by, and no machine owns the volumes.

Sources: proxmox-csi-plugin v0.19.1, docs/install.md (labels) and docs/config.md (controllerVMID).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.claims import machines
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.models.storage import VOLUMES_VM_ID
from settings.problems import Problem, problem

_FLAG: Final = "node-labels"
_PLACES: Final = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


@reads("routers", "balancers", "cluster", "platform")
def nobody_owns_the_volumes(stack: Stack) -> Iterator[Problem]:
    """Proxmox deletes a machine's disks with it, by the id in their names."""
    if stack.platform.storage is None:
        return
    for path, role, spec in machines(stack):
        if spec.vm_id == VOLUMES_VM_ID:
            yield problem(
                f"{path}.vm_id",
                spec.vm_id,
                f"is the one that platform.storage names volumes after: they would go with this "
                f"{role}",
                "choose another",
            )


@reads("cluster", "platform")
def nodes_are_where_volumes_are(stack: Stack) -> Iterator[Problem]:
    """The labels are the region that the plugin is told and the host that the machine is on."""
    labels = stack.cluster.kubelet.extra_args.get(_FLAG, "")
    given = [each.partition("=")[0] for each in labels.split(",")]
    for label in _PLACES:
        if stack.platform.storage is not None and label in given:
            yield problem(
                f"cluster.kubelet.extra_args.{_FLAG}",
                labels,
                f"has {label}, which platform.storage decides",
                "leave it out",
            )

"""Storage: classes that claims can name, and values that a stack may not undo.

Sources: proxmox-csi-plugin's values.yaml and templates, 0.5.9.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.chart_keys import overlooked
from settings.checks.decided import Decided, off, only, undone
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_CONFIG = "is how Proxmox is reached, which platform.storage says"
_TOKEN = "takes the place of the program's own, which has the token"  # noqa: S105
STORAGE: Final = (
    Decided(keys=("config", "clusters"), why=_CONFIG),
    Decided(keys=("config", "features", "provider"), why=_CONFIG, allowed=only("default")),
    Decided(
        keys=("config", "features", "controllerVMID"),
        why="is not the VM id that no machine of the stack may have",
        allowed=only(9999),
    ),
    Decided(keys=("configFile",), why=_CONFIG, allowed=only("/etc/proxmox/config.yaml")),
    Decided(keys=("existingConfigSecret",), why=_CONFIG, allowed=only(None, "")),
    Decided(keys=("storageClass",), why="are classes beside those of platform.storage.classes"),
    Decided(keys=("extraVolumes",), why=_TOKEN),
    Decided(keys=("extraVolumeMounts",), why=_TOKEN),
    Decided(
        keys=("createNamespace",),
        why="makes the namespace, which the program made before",
        allowed=off,
    ),
    Decided(
        keys=("node", "kubeletDir"),
        why="is not where kubeadm's kubelet is",
        allowed=only("/var/lib/kubelet"),
    ),
)
KEYS: Final = {
    "": """replicaCount imagePullSecrets nameOverride fullnameOverride createNamespace
        priorityClassName serviceAccount provisionerName clusterID logVerbosityLevel timeout options
        existingConfigSecret existingConfigSecretKey configFile config storageClass controller node
        livenessprobe initContainers hostAliases podAnnotations podLabels podSecurityContext
        securityContext updateStrategy metrics nodeSelector tolerations affinity extraVolumes
        extraVolumeMounts""",
    "controller": "podAnnotations podLabels plugin attacher provisioner resizer snapshotter",
    "node": "plugin driverRegistrar kubeletDir nodeSelector tolerations affinity",
}
_VALUES = "platform.storage.chart.values"


@reads("platform")
def storage_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """It reaches Proxmox as the stack says, with a token that is in no value."""
    given = stack.platform.storage
    if given is not None:
        yield from undone(_VALUES, given.chart.values, STORAGE)
        yield from overlooked(_VALUES, given.chart.values, "proxmox-csi-plugin", KEYS)


@reads("platform")
def volumes_have_a_class(stack: Stack) -> Iterator[Problem]:
    """Claims that name none get the default one, of which Kubernetes takes the newest of several
    (kubernetes.io, "Storage Classes"); a name is of one class."""
    given = stack.platform.storage
    if given is None:
        return
    here = "platform.storage.classes"
    seen: dict[str, int] = {}
    for index, each in enumerate(given.classes):
        if seen.setdefault(each.name, index) != index:
            wrong = f"is {here}[{seen[each.name]}] already"
            yield problem(f"{here}[{index}].name", each.name, wrong, "call this class otherwise")
    defaults = [index for index, each in enumerate(given.classes) if each.default]
    if not defaults:
        wrong = "have no default: a claim that names no class would wait for ever"
        yield problem(here, ABSENT, wrong, "write default: true into one of them")
    for index in defaults[1:]:
        wrong = f"makes a second default beside {here}[{defaults[0]}]"
        yield problem(f"{here}[{index}].default", True, wrong, "remove it from one of the two")

"""Which changes of a kind replace the object: what the API server refuses to change in place.

The lists follow pulumi-kubernetes' `forceNewProperties` and the API validation of Kubernetes.
"""

from __future__ import annotations

from typing import Final

from lab.plugins.kubernetes.objects import Gvk, Obj

IDENTITY: Final = frozenset({"kind", "metadata.name", "metadata.namespace"})

_CONTAINER: Final = (
    "args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports",
    "readinessProbe", "resources", "securityContext", "stdin", "stdinOnce",
    "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts",
    "workingDir",
)  # fmt: skip
_POD: Final = (
    "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks",
    "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName",
    "nodeSelector", "overhead", "preemptionPolicy", "priority", "priorityClassName",
    "readinessGates", "restartPolicy", "runtimeClassName", "schedulerName", "securityContext",
    "serviceAccount", "serviceAccountName", "shareProcessNamespace", "subdomain",
    "terminationGracePeriodSeconds", "volumes",
)  # fmt: skip
_VOLUME_SOURCES: Final = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc",
    "flexVolume", "flocker", "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs",
    "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos",
    "vsphereVolume",
)  # fmt: skip


def _spec(*fields: str) -> frozenset[str]:
    return frozenset(f"spec.{field}" for field in fields)


_REPLACING: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("apps", "DaemonSet"): _spec("selector"),
    ("apps", "Deployment"): _spec("selector"),
    ("apps", "StatefulSet"): _spec(
        "podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName",
        "volumeClaimTemplates",
    ),
    ("batch", "Job"): _spec("completions", "parallelism", "selector", "template"),
    ("policy", "PodDisruptionBudget"): frozenset(),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): frozenset({"roleRef"}),
    ("rbac.authorization.k8s.io", "RoleBinding"): frozenset({"roleRef"}),
    ("storage.k8s.io", "StorageClass"): frozenset({"parameters", "provisioner"}),
    ("", "PersistentVolume"): _spec(*_VOLUME_SOURCES),
    ("", "PersistentVolumeClaim"): _spec(
        "accessModes", "selector", "storageClassName", "volumeName"
    ),
    ("", "Pod"): _spec(
        *_POD,
        *(f"containers[*].{field}" for field in _CONTAINER),
        *(f"initContainers[*].{field}" for field in _CONTAINER),
    ),
    ("", "ResourceQuota"): _spec("scopes"),
    ("", "Secret"): frozenset({"type"}),
    ("", "Service"): _spec("clusterIP"),
}  # fmt: skip


def replace_on(
    gvk: Gvk, news: Obj, *, mutable_config_maps: bool = False, mutable_secrets: bool = False
) -> frozenset[str]:
    """Property paths (`*` for any index) whose change replaces an object of the kind.

    ConfigMaps and Secrets are replaced when their data changes, unless the provider's
    `enableConfigMapMutable` / `enableSecretMutable` says otherwise and they are not `immutable`:
    what mounts them under a generated name then rolls.
    """
    frozen = news.get("immutable") is True
    fields = _REPLACING.get((gvk.group, gvk.kind), frozenset())
    if (gvk.group, gvk.kind) == ("", "Secret") and (frozen or not mutable_secrets):
        fields = frozenset({"type", "data", "stringData"})
    if (gvk.group, gvk.kind) == ("", "ConfigMap") and (frozen or not mutable_config_maps):
        fields = frozenset({"data", "binaryData"})
    return IDENTITY | fields

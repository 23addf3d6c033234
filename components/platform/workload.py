"""Pods of an application that visitors reach through the ingress, and their address. Pure.

Sources: Kubernetes' API reference (apps/v1, core/v1, policy/v1), and its Pod Security Standards,
"Restricted".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.platform.addon import UNAWAITED, Object
from components.platform.ingress import placement

PORT_NAME = "http"
LEAVE_SECONDS = 10
"""Between being told to leave and stopping: the ingress hears of endpoints within seconds."""
FINISH_SECONDS = 300
"""How long requests may go on after that."""
READY_SECONDS = 5
"""How long a new pod is ready before an old one leaves (minReadySeconds)."""
_PLACE = {
    "POD_NAME": "metadata.name",
    "POD_IP": "status.podIP",
    "NODE_NAME": "spec.nodeName",
}
"""What every pod is told of itself."""


def labels_of(name: str) -> dict[str, str]:
    """By which the pods of that name are found."""
    return {"app.kubernetes.io/name": name}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Pods of one image under one name, in a namespace of that name.

    `port` is where they take plain HTTP. `replicas` is None for one a node. `user` is the number of
    user and group, None for the image's own. `secret` is a Secret whose keys are environment
    variables. `health_path` is asked of a pod before it gets requests, `alive_path` as long as it
    lives. `cpu` are thousandths of a core, `memory` and `memory_limit` MiB. `writable` are folders
    that each pod has empty.
    """

    name: str
    image: str
    port: int
    replicas: int | None
    user: int | None
    cpu: int
    memory: int
    memory_limit: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    health_path: str | None = None
    alive_path: str | None = None
    writable: Sequence[str] = ()

    @property
    def labels(self) -> dict[str, str]:
        """By which its pods are found."""
        return labels_of(self.name)

    @property
    def metadata(self) -> Object:
        """Of each of its objects."""
        return {"name": self.name, "namespace": self.name, "labels": self.labels}


def pods(workload: Workload) -> Object:
    """A DaemonSet (one pod a node), or a Deployment spread over nodes.

    A new pod is ready before an old one leaves, which goes on answering until the ingress has
    heard of it, and then brings its requests to their end.
    """
    every_node = workload.replicas is None
    template: Object = {"metadata": {"labels": workload.labels}, "spec": _pod(workload)}
    spec: Object = {
        "selector": {"matchLabels": workload.labels},
        "updateStrategy" if every_node else "strategy": placement.rollout(),
        "minReadySeconds": READY_SECONDS,
        "template": template,
    }
    if not every_node:
        spec["replicas"] = workload.replicas
        template["spec"]["topologySpreadConstraints"] = placement.spread(workload.labels)
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet" if every_node else "Deployment",
        "metadata": workload.metadata,
        "spec": spec,
    }


def _pod(workload: Workload) -> Object:
    identity = (
        {} if workload.user is None else {"runAsUser": workload.user, "runAsGroup": workload.user}
    )
    spec: Object = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": LEAVE_SECONDS + FINISH_SECONDS + 10,
        "securityContext": {
            "runAsNonRoot": True,
            **identity,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(workload)],
    }
    if workload.writable:
        spec["volumes"] = [
            {"name": name, "emptyDir": {}} for name, _ in _folders(workload.writable)
        ]
    return spec


def _container(workload: Workload) -> Object:
    resources: Object = {"requests": {"cpu": f"{workload.cpu}m", "memory": f"{workload.memory}Mi"}}
    if workload.memory_limit is not None:
        resources["limits"] = {"memory": f"{workload.memory_limit}Mi"}
    made: Object = {
        "name": workload.name,
        "image": workload.image,
        "env": [
            *(_from_field(key, path) for key, path in _PLACE.items() if key not in workload.env),
            *({"name": key, "value": value} for key, value in workload.env.items()),
        ],
        "ports": [{"name": PORT_NAME, "containerPort": workload.port}],
        "readinessProbe": {
            **_asked(workload.health_path),
            "periodSeconds": 2,
            "failureThreshold": 2,
        },
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if workload.alive_path is not None:
        # A pod is started anew after a minute of silence: one that is slow is not helped by that.
        made["livenessProbe"] = {
            **_asked(workload.alive_path),
            "initialDelaySeconds": 10,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        }
    if workload.secret is not None:
        made["envFrom"] = [{"secretRef": {"name": workload.secret}}]
    if workload.writable:
        made["volumeMounts"] = [
            {"name": name, "mountPath": path} for name, path in _folders(workload.writable)
        ]
    return made


def _asked(path: str | None) -> Object:
    if path is None:
        return {"tcpSocket": {"port": PORT_NAME}}
    return {"httpGet": {"path": path, "port": PORT_NAME}}


def _folders(writable: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"writable-{index}", path) for index, path in enumerate(writable)]


def _from_field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def address(workload: Workload) -> Object:
    """The pods' Service: port 80 inside the cluster. The pods are awaited, so the provider need not
    watch it for the ten seconds that it gives every Service (its internal/await, service.go)."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**workload.metadata, "annotations": dict(UNAWAITED)},
        "spec": {
            "selector": workload.labels,
            "ports": [{"name": PORT_NAME, "port": 80, "targetPort": PORT_NAME}],
        },
    }


def budget(workload: Workload) -> Object:
    """A PodDisruptionBudget: nodes are drained one pod after the other."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": workload.metadata,
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": workload.labels}},
    }

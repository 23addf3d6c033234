"""The demonstration behind the ingress: pods that say where they run."""

from __future__ import annotations

from components.platform import cert_manager
from components.platform.addon import Addon, Object, Site
from components.platform.ingress import CONTROLLERS, Controller
from settings.models import Demo

NAME = "echo"
PORT = 8080
LEAVE_SECONDS = 10
"""Between being told to leave and stopping: the ingress hears of endpoints within seconds."""
FINISH_SECONDS = 300
"""How long requests may go on after that."""


def addon(site: Site) -> Addon | None:
    """The demonstration, when the stack wants it."""
    demo = site.settings.demo
    if demo is None or not demo.enabled:
        return None
    controller = CONTROLLERS[site.settings.ingress.kind]
    return Addon(
        name=NAME,
        namespace=NAME,
        pod_security="restricted",
        objects={
            f"{NAME}-pods": workload(demo),
            f"{NAME}-service": service(),
            f"{NAME}-ingress": ingress(demo, controller),
        },
    )


def workload(demo: Demo) -> Object:
    """The demonstration's pods: a DaemonSet (one a node), or a Deployment spread over nodes.

    A new pod is ready before an old one leaves, which goes on answering until the ingress has
    heard of it, and then brings its requests to their end.
    """
    labels = {"app.kubernetes.io/name": NAME}
    pod: Object = {
        "metadata": {"labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": LEAVE_SECONDS + FINISH_SECONDS + 10,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": NAME,
                    "image": demo.image,
                    "env": [
                        _from_field("POD_NAME", "metadata.name"),
                        _from_field("POD_IP", "status.podIP"),
                        _from_field("NODE_NAME", "spec.nodeName"),
                    ],
                    "ports": [{"name": "http", "containerPort": PORT}],
                    "readinessProbe": {
                        "httpGet": {"path": "/healthz", "port": "http"},
                        "periodSeconds": 2,
                        "failureThreshold": 2,
                    },
                    "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
    rollout = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    spec: Object = {
        "selector": {"matchLabels": labels},
        "updateStrategy" if demo.every_node else "strategy": rollout,
        "minReadySeconds": 5,
        "template": pod,
    }
    if not demo.every_node:
        spec["replicas"] = demo.replicas
        pod["spec"]["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
            }
        ]
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet" if demo.every_node else "Deployment",
        "metadata": {"name": NAME, "namespace": NAME, "labels": labels},
        "spec": spec,
    }


def service() -> Object:
    """The demonstration's address inside the cluster."""
    labels = {"app.kubernetes.io/name": NAME}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAME, "labels": labels},
        "spec": {
            "selector": labels,
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def ingress(demo: Demo, controller: Controller) -> Object:
    """The demonstration's host name at the ingress, on both entry points; the certificate that
    clients see is the balancers', the ingress' own may be signed by whom the stack names. It says
    whatever else the controller asks of an Ingress."""
    backend = {"service": {"name": NAME, "port": {"name": "http"}}}
    made: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": NAME, "namespace": NAME},
        "spec": {
            "ingressClassName": controller.ingress_class,
            "rules": [
                {
                    "host": demo.host,
                    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                }
            ],
        },
    }
    annotations = dict(controller.annotations)
    if demo.issuer is not None:
        annotations[cert_manager.ISSUER_ANNOTATION] = demo.issuer
        made["spec"]["tls"] = [{"hosts": [demo.host], "secretName": f"{NAME}-tls"}]
    elif controller.tls is not None:
        annotations |= controller.tls_annotations
        made["spec"]["tls"] = [{"hosts": [demo.host], **controller.tls}]
    if annotations:
        made["metadata"]["annotations"] = annotations
    return made


def _from_field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

"""The platform's own objects, as the API takes them."""

from __future__ import annotations

from typing import Any

from components.platform.args import PlatformArgs
from components.platform.values import INGRESS_NAME, POOL
from settings.models import Demo

METALLB_NAMESPACE = "metallb-system"
DEMO = "echo"
DEMO_PORT = 8080

Object = dict[str, Any]


def pod_security(level: str) -> dict[str, str]:
    """Labels of a namespace that enforce a Pod Security Standard
    (kubernetes.io/docs/concepts/security/pod-security-standards)."""
    return {
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/warn": level,
    }


def pool(args: PlatformArgs) -> Object:
    """The addresses MetalLB may give to services."""
    ranges = [f"{each.first}-{each.last}" for each in args.settings.metallb.pool]
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": POOL, "namespace": METALLB_NAMESPACE},
        "spec": {"addresses": ranges},
    }


def advertisement(args: PlatformArgs) -> Object:
    """Answer ARP for the pool, on the nodes' LAN legs only."""
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "L2Advertisement",
        "metadata": {"name": POOL, "namespace": METALLB_NAMESPACE},
        "spec": {
            "ipAddressPools": [POOL],
            "interfaces": [args.lan_interface],
        },
    }


def demo_workload(demo: Demo) -> Object:
    """The demonstration's pods: a DaemonSet (one a node), or a Deployment spread over nodes."""
    labels = {"app.kubernetes.io/name": DEMO}
    pod: Object = {
        "metadata": {"labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": DEMO,
                    "image": demo.image,
                    "env": [
                        _from_field("POD_NAME", "metadata.name"),
                        _from_field("POD_IP", "status.podIP"),
                        _from_field("NODE_NAME", "spec.nodeName"),
                    ],
                    "ports": [{"name": "http", "containerPort": DEMO_PORT}],
                    "readinessProbe": {
                        "httpGet": {"path": "/healthz", "port": "http"},
                        "periodSeconds": 2,
                        "failureThreshold": 2,
                    },
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
    spec: Object = {"selector": {"matchLabels": labels}, "template": pod}
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
        "metadata": {"name": DEMO, "namespace": DEMO, "labels": labels},
        "spec": spec,
    }


def demo_service() -> Object:
    """The demonstration's address inside the cluster."""
    labels = {"app.kubernetes.io/name": DEMO}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": DEMO, "namespace": DEMO, "labels": labels},
        "spec": {
            "selector": labels,
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def demo_ingress(demo: Demo) -> Object:
    """The demonstration's host name at the ingress, on both entry points; the certificate that
    clients see is the balancers'."""
    backend = {"service": {"name": DEMO, "port": {"name": "http"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": DEMO, "namespace": DEMO},
        "spec": {
            "ingressClassName": INGRESS_NAME,
            "rules": [
                {
                    "host": demo.host,
                    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                }
            ],
        },
    }


def _from_field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

"""What `__main__` hands to the platform, for the lab and for a platform without extras."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from components.host import Exporter
from components.host.exporters import targets
from components.host.target import Target
from components.loadbalancers.args import api_endpoint
from components.platform import PlatformArgs
from components.platform.addon import Site
from settings.models import Chart, Platform, Stack
from tests.components import rendered, stacks


def chart(name: str, version: str) -> dict[str, Any]:
    return {"chart": name, "version": version, "repository": f"https://charts.example/{name}"}


def plain() -> Platform:
    """A platform whose charts have no values of the stack's own, and with all that is off by
    default on."""
    off = {
        name: chart(name, "1.0.0")
        for name, field in Platform.model_fields.items()
        if field.annotation == Chart | None
    }
    return Platform.model_validate(
        {
            **off,
            "cert_manager": {
                "chart": chart("cert-manager", "1.21.2"),
                "issuers": [
                    {
                        **{"name": "public", "kind": "acme-dns01"},
                        **{"email": "ops@example.org", "zones": ["example.org"]},
                    },
                    {"name": "by-answer", "kind": "acme-http01"},
                    {"name": "inside", "kind": "own-ca"},
                ],
            },
            "cilium": chart("cilium", "1.20.2"),
            "monitoring": {
                "chart": chart("kube-prometheus-stack", "88.5.3"),
                "receivers": [
                    {
                        **{"name": "operators", "kind": "mail", "to": ["ops@example.org"]},
                        **{"sender": "alerts@example.org", "server": "smtp.example.org"},
                        "username": "alerts",
                    },
                    {"name": "pager", "kind": "webhook", "severities": ["critical"]},
                ],
            },
            "logging": {
                "loki": chart("loki", "18.11.0"),
                "alloy": chart("alloy", "1.4.0"),
                "store": {
                    **{"kind": "s3", "bucket": "logs", "region": "us-east-1"},
                    **{"endpoint": "https://s3.example.org", "size": 10},
                },
                "collector": {"address": "198.18.10.201"},
            },
            "storage": {
                "kind": "proxmox-csi",
                "chart": chart("proxmox-csi-plugin", "0.5.9"),
                "endpoint": "https://198.18.10.250:8006/",
                "classes": [
                    {"name": "fast", "storage": "local-lvm", "default": True},
                    {"name": "bulk", "storage": "nas", "reclaim": "Retain", "filesystem": "xfs"},
                ],
            },
            "delivery": {
                "kind": "flux",
                "chart": chart("flux2", "2.18.3"),
                "repository": "https://git.example.org/cloud.git",
                "path": "clusters/prod",
                "credentials": True,
            },
            "velero": {
                "chart": chart("velero", "12.1.0"),
                "plugin": "docker.io/velero/velero-plugin-for-aws:v1.14.1",
                **{"bucket": "backups", "region": "us-east-1"},
                **{"endpoint": "https://s3.example.org", "volumes": True},
            },
            "mesh": {
                **{"kind": "istio", "namespaces": ["echo"]},
                "crds": chart("base", "1.30.1"),
                "cni": chart("cni", "1.30.1"),
                "control_plane": chart("istiod", "1.30.1"),
            },
            "metallb": {
                "chart": chart("metallb", "0.16.1"),
                "pool": [{"first": "198.18.10.200", "last": "198.18.10.220"}],
            },
            "ingress": {"chart": chart("traefik", "41.3.0")},
        }
    )


def watched(stack: Stack) -> list[Target]:
    """Every machine's own exporter, and HAProxy's of the balancers."""
    node = Exporter(name="node", network="management", port=9100)
    haproxy = Exporter(name="haproxy", network="management", port=stack.balancers.stats_port)
    roles = ("router", "balancer", "control_plane", "worker")
    return [
        target
        for role in roles
        for machine in stacks.machines(stack, role)
        for target in targets(machine, [node, haproxy] if role == "balancer" else [node])
    ]


def args(
    settings: Platform | None = None, stack: Stack | None = None, **given: Any
) -> PlatformArgs:
    chosen = stack or stacks.lab()
    return PlatformArgs(
        **{
            "settings": settings or chosen.platform,
            "networks": chosen.networks,
            "kubeconfig": "kubeconfig",
            "cluster_identity": "lab-lab",
            "control_plane": stacks.machines(chosen, "control_plane")[0],
            "api": api_endpoint(chosen.balancers),
            "node_count": 3,
            "control_planes_work": True,
            "trusted": [IPv4Address("198.18.10.11"), IPv4Address("198.18.10.12")],
            "peering": rendered.sessions(chosen),
            "targets": watched(chosen),
            "senders": {
                each.name: each.address("lan")
                for role in ("router", "balancer")
                for each in stacks.machines(chosen, role)
            },
            "vips": {"router": chosen.routers.every_vip, "balancer": chosen.balancers.every_vip},
            **given,
        }
    )


def site(settings: Platform | None = None, **given: Any) -> Site:
    """What the addons of that platform are made from."""
    return replace(args(settings).site, **given)

"""What `__main__` hands to the platform, for the lab and for a platform without extras."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

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
            "metallb": {
                "chart": chart("metallb", "0.16.1"),
                "pool": [{"first": "198.18.10.200", "last": "198.18.10.220"}],
            },
            "ingress": {"chart": chart("traefik", "41.3.0")},
        }
    )


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
            **given,
        }
    )


def site(settings: Platform | None = None, **given: Any) -> Site:
    """What the addons of that platform are made from."""
    return replace(args(settings).site, **given)

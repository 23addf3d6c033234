"""What settings cannot know of the balancers: where adopted machines stand, and what arrives late.

Everything else is refused by the settings' own checks, before any layer exists. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.host.pair.legs import HasLegs, leg_problems
from components.loadbalancers.model import RoutesModel


def verify(machines: Sequence[HasLegs]) -> list[str]:
    """Legs that a balancer lacks (management, lan), and peers that are not on one subnet."""
    return leg_problems(machines, ("management", "lan"))


def verify_routes(model: RoutesModel) -> list[str]:
    """An ingress that has no port or address to send requests to, now that it is live."""
    if model.target == "node-port":
        ports = {"HTTP": model.http_port, "HTTPS": model.https_port}
        return [
            f"balancers.target is node-port, but the ingress has no NodePort for {scheme}"
            for scheme, port in ports.items()
            if port is None
        ]
    if model.load_balancer_ip is None:
        return [
            "balancers.target is load-balancer-ip, but the ingress has no address of its own; "
            "look whether MetalLB has one left in platform.metallb.pool"
        ]
    if model.load_balancer_ip in model.lan_vips:
        return [
            f"{model.load_balancer_ip} is a VIP of the balancers and the ingress' own address: "
            "requests would go round in circles; take it out of platform.metallb.pool"
        ]
    return []


def verify_ranges(ranges: Sequence[str]) -> list[str]:
    """An empty list of the CDN's ranges: it decides who may name a client's address."""
    if ranges:
        return []
    return [
        "the CDN has no ranges; every request would seem to come from the CDN itself. Nothing is "
        "pushed and the last good list stays: look at where the CDN's ranges come from"
    ]

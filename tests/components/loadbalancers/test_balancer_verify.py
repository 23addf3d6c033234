"""Balancers that cannot serve are refused: by their machines, or by what arrives late."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface

import pytest

from components.loadbalancers.verify import verify, verify_ranges, verify_routes
from tests.components import rendered, stacks


@pytest.mark.parametrize(
    "stack", [stacks.lab, stacks.single, stacks.two_groups, stacks.address_of_its_own]
)
def test_the_shipped_shapes_make_sense(stack: object) -> None:
    assert callable(stack)
    assert verify(stacks.machines(stack(), "balancer")) == []
    assert verify_routes(rendered.routes_model(stack())) == []


def test_a_machine_without_a_leg_and_peers_apart_are_named_at_once() -> None:
    first, second = stacks.machines(stacks.lab(), "balancer")
    blind = replace(first, interfaces={"lan": "eth1"})
    moved = replace(second, addresses={**second.addresses, "lan": IPv4Interface("192.0.2.12/24")})

    assert verify([blind, moved]) == [
        "lb-a has no leg on the management network; give it an address and an interface",
        "lb-a (198.18.10.11/24) and lb-b (192.0.2.12/24) are not on one lan subnet; VRRP moves "
        "addresses within a subnet only",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"http_port": None},
            "balancers.target is node-port, but the ingress has no NodePort for HTTP",
        ),
        (
            {"https_port": None},
            "balancers.target is node-port, but the ingress has no NodePort for HTTPS",
        ),
        (
            {"target": "load-balancer-ip", "load_balancer_ip": None},
            "balancers.target is load-balancer-ip, but the ingress has no address of its own; "
            "look whether MetalLB has one left in platform.metallb.pool",
        ),
        (
            {"target": "load-balancer-ip", "load_balancer_ip": IPv4Address("198.18.10.10")},
            "198.18.10.10 is a VIP of the balancers and the ingress' own address: requests would "
            "go round in circles; take it out of platform.metallb.pool",
        ),
    ],
)
def test_routes_that_lead_nowhere_are_refused(change: dict[str, object], said: str) -> None:
    model = rendered.routes_model(stacks.lab())

    assert verify_routes(replace(model, **change)) == [said]


def test_both_missing_ports_are_named() -> None:
    model = rendered.routes_model(stacks.lab())

    assert len(verify_routes(replace(model, http_port=None, https_port=None))) == 2


def test_a_cdn_without_ranges_is_refused_with_its_consequence() -> None:
    (said,) = verify_ranges([])

    assert said.startswith("the CDN has no ranges; every request would seem to come from the CDN")
    assert verify_ranges(["192.0.2.0/24"]) == []

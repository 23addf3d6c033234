"""Balancers that make no sense together are refused, each fault by its own words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface

import pytest

from components.host.pair import Leg
from components.loadbalancers.args import base_model
from components.loadbalancers.model import BaseModel, RoutesModel
from components.loadbalancers.verify import (
    BalancersError,
    cdn_ranges,
    verify_base,
    verify_routes,
)
from tests.components import rendered, stacks


def lab() -> BaseModel:
    return rendered.base_model(stacks.lab())


def routes() -> RoutesModel:
    return rendered.routes_model(stacks.lab())


def refused(model: BaseModel | RoutesModel) -> str:
    with pytest.raises(BalancersError) as caught:
        if isinstance(model, BaseModel):
            verify_base(model)
        else:
            verify_routes(model)
    return str(caught.value)


@pytest.mark.parametrize(
    "stack", [stacks.lab, stacks.single, stacks.two_groups, stacks.address_of_its_own]
)
def test_the_shipped_shapes_make_sense(stack: object) -> None:
    assert callable(stack)
    verify_base(rendered.base_model(stack()))
    verify_routes(rendered.routes_model(stack()))


def test_three_balancers_are_refused() -> None:
    model = lab()
    third = replace(model.balancers[0], name="lb-c")

    assert refused(replace(model, balancers=(*model.balancers, third))) == (
        "loadbalancers: one or two machines, not 3"
    )


def test_two_balancers_of_one_name_are_refused() -> None:
    model = lab()
    twin = replace(model.balancers[1], name="lb-a")

    assert "two machines are called lb-a" in refused(
        replace(model, balancers=(model.balancers[0], twin))
    )


def test_a_group_owned_by_a_stranger_is_refused() -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={"owner": "lb-z"})

    assert refused(replace(model, vips=(vip,))) == (
        "loadbalancers: front is owned by lb-z, which is no balancer (there are lb-a, lb-b)"
    )


def test_a_way_back_out_of_reach_is_refused() -> None:
    model = lab()
    (vip,) = model.lan_vips
    far = refused(replace(model, ways_back={vip: IPv4Address("192.0.2.1")}))
    lost = refused(replace(model, ways_back={IPv4Address("192.0.2.2"): vip}))

    assert far.startswith("loadbalancers: 192.0.2.1, the way back of 198.18.10.10, is not in")
    assert lost == "loadbalancers: 192.0.2.2 has a way back, but is no VIP of theirs"


def test_a_vrid_used_twice_is_refused() -> None:
    model = rendered.base_model(stacks.two_groups())
    first, second = model.vips

    assert refused(replace(model, vips=(first, second.model_copy(update={"vrid": 71})))) == (
        "loadbalancers: side and front both use VRID 71"
    )


def test_peers_on_different_subnets_are_refused() -> None:
    model = lab()
    moved = replace(
        model.balancers[1], lan=Leg(interface="eth1", address=IPv4Interface("192.0.2.12/24"))
    )

    assert "lb-a (198.18.10.11/24) and lb-b (192.0.2.12/24) are not on one lan subnet" in refused(
        replace(model, balancers=(model.balancers[0], moved))
    )


def test_peers_with_one_address_are_refused() -> None:
    model = lab()
    same = replace(model.balancers[1], management=model.balancers[0].management)

    assert "lb-a and lb-b both have management 198.18.0.21" in refused(
        replace(model, balancers=(model.balancers[0], same))
    )


def test_a_vip_that_is_a_control_planes_address_is_refused() -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={"lan": [IPv4Address("198.18.10.21")]})

    assert refused(replace(model, vips=(vip,))) == (
        "loadbalancers: 198.18.10.21 of front is already cp-1's"
    )


@pytest.mark.parametrize(
    ("field", "segment"), [("lan", "198.18.10.0/24"), ("management", "198.18.0.0/24")]
)
def test_a_vip_outside_its_segment_is_refused(field: str, segment: str) -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={field: [IPv4Address("192.0.2.9")]})

    said = refused(replace(model, vips=(vip,)))

    assert f"192.0.2.9 of front is not in {segment}, the {field} of lb-a" in said


def test_an_interval_vrrp_cannot_count_is_refused() -> None:
    model = lab()
    vrrp = model.vrrp.model_copy(update={"advert_interval": 0.333})

    assert "advert_interval 0.333 s is not a whole number of hundredths" in refused(
        replace(model, vrrp=vrrp)
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stats_port": 6443}, "stats_port 6443 is taken by api_port"),
        ({"stats_port": 443}, "stats_port 443 is taken by HTTPS"),
        ({"api_port": 8405}, "api_port 8405 is taken by the check of the local HAProxy"),
        ({"stats_port": 8406}, "stats_port 8406 is taken by the peer's health"),
    ],
)
def test_a_port_that_is_taken_is_refused(change: dict[str, int], said: str) -> None:
    assert refused(replace(lab(), **change)) == f"loadbalancers: {said}"


def test_balancers_without_control_planes_or_groups_are_refused() -> None:
    said = refused(replace(lab(), control_planes=(), vips=()))

    assert "no control plane to send API requests to" in said
    assert "no VIP group" in said


def test_a_machine_without_a_lan_leg_is_refused_by_name() -> None:
    args = rendered.base_args(stacks.lab())
    blind = replace(args.machines[0], addresses={})

    with pytest.raises(ValueError, match="lb-a is a balancer without a leg on the management"):
        base_model(replace(args, machines=[blind]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nodes": ()}, "target is node-port, but there is no node"),
        ({"http_port": None}, "target is node-port, but the ingress has no NodePort for HTTP"),
        ({"https_port": None}, "target is node-port, but the ingress has no NodePort for HTTPS"),
        ({"lan_vips": ()}, "no LAN VIP to receive requests on"),
        (
            {"target": "load-balancer-ip", "load_balancer_ip": None},
            "target is load-balancer-ip, but the ingress has no address of its own",
        ),
        (
            {
                "target": "load-balancer-ip",
                "load_balancer_ip": IPv4Address("198.18.10.10"),
            },
            "198.18.10.10 is a VIP of the balancers and the ingress' own address: requests would "
            "go round in circles",
        ),
    ],
)
def test_routes_that_lead_nowhere_are_refused(change: dict[str, object], said: str) -> None:
    model = routes()

    assert refused(RoutesModel(**{**vars(model), **change})) == f"loadbalancers: {said}"


def test_two_nodes_of_one_name_are_refused() -> None:
    model = routes()

    assert "two nodes are called cp-1" in refused(
        replace(model, nodes=(model.nodes[0], model.nodes[0]))
    )


def test_an_empty_list_of_ranges_is_refused_with_its_consequence() -> None:
    with pytest.raises(BalancersError, match="every request would seem to come from the CDN"):
        cdn_ranges([])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2001:db8::/32", "'2001:db8::/32' is not an IPv4 network"),
        ("128.0.0.0/1", "128.0.0.0/1 is wider than a /8: anybody could claim to be any client"),
    ],
)
def test_a_range_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(BalancersError) as caught:
        cdn_ranges([text])

    assert said in str(caught.value)

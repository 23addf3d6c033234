"""Routers that make no sense together are refused, each fault by its own words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.host.pair import Leg
from components.routers.args import model as model_of
from components.routers.model import RoutersModel
from components.routers.verify import RoutersError, cdn_ranges, verify
from tests.components import rendered, stacks


def lab() -> RoutersModel:
    return rendered.routers_model(stacks.lab())


def refused(model: RoutersModel) -> str:
    with pytest.raises(RoutersError) as caught:
        verify(model)
    return str(caught.value)


@pytest.mark.parametrize("stack", [stacks.lab, stacks.single, stacks.two_groups])
def test_the_shipped_shapes_make_sense(stack: object) -> None:
    assert callable(stack)
    verify(rendered.routers_model(stack()))


def test_three_routers_are_refused() -> None:
    model = lab()
    third = replace(model.routers[0], name="router-c")

    said = refused(replace(model, routers=(*model.routers, third)))

    assert said == "routers: one or two machines, not 3"


def test_two_routers_of_one_name_are_refused() -> None:
    model = lab()
    twin = replace(model.routers[1], name="router-a")

    assert "two machines are called router-a" in refused(
        replace(model, routers=(model.routers[0], twin))
    )


def test_a_group_owned_by_a_stranger_is_refused() -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={"owner": "router-z"})

    assert refused(replace(model, vips=(vip,))) == (
        "routers: edge is owned by router-z, which is no router (there are router-a, router-b)"
    )


def test_a_pair_without_a_sync_leg_is_refused() -> None:
    model = lab()
    bare = replace(model.routers[1], sync=None)

    assert "router-b has no sync leg" in refused(replace(model, routers=(model.routers[0], bare)))


def test_peers_on_different_subnets_are_refused() -> None:
    model = lab()
    moved = replace(
        model.routers[1], wan=Leg(interface="eth2", address=IPv4Interface("192.0.2.3/24"))
    )

    assert (
        "router-a (203.0.113.2/24) and router-b (192.0.2.3/24) are not on one wan subnet"
        in refused(replace(model, routers=(model.routers[0], moved)))
    )


def test_peers_with_one_address_are_refused() -> None:
    model = lab()
    same = replace(model.routers[1], lan=model.routers[0].lan)

    assert "router-a and router-b both have lan 198.18.10.2" in refused(
        replace(model, routers=(model.routers[0], same))
    )


@pytest.mark.parametrize(("segment", "field"), [("wan", "wan_vrid"), ("lan", "lan_vrid")])
def test_a_vrid_used_twice_on_a_segment_is_refused(segment: str, field: str) -> None:
    model = rendered.routers_model(stacks.two_groups())
    first, second = model.vips
    second = second.model_copy(update={field: getattr(first, field)})

    said = refused(replace(model, vips=(first, second)))

    vrid = getattr(first, field)
    assert said == f"routers: second and edge both use VRID {vrid} on the {segment}"


def test_one_vrid_on_both_segments_is_fine() -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={"lan_vrid": 61})

    verify(replace(model, vips=(vip,)))


def test_a_vip_that_is_a_routers_own_address_is_refused() -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={"wan": [IPv4Address("203.0.113.3")]})

    assert refused(replace(model, vips=(vip,))) == (
        "routers: 203.0.113.3 of edge is already router-b's"
    )


def test_a_gateway_outside_the_lan_is_refused() -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={"lan": [IPv4Address("198.18.11.1")]})

    assert "198.18.11.1 of edge is not in 198.18.10.0/24" in refused(replace(model, vips=(vip,)))


def test_a_public_vip_outside_the_wan_subnet_is_fine() -> None:
    model = lab()
    vip = model.vips[0].model_copy(update={"wan": [IPv4Address("192.0.2.77")]})

    verify(replace(model, vips=(vip,)))


def test_an_interval_vrrp_cannot_count_is_refused() -> None:
    model = lab()
    vrrp = model.vrrp.model_copy(update={"advert_interval": 0.125})

    assert "advert_interval 0.125 s is not a whole number of hundredths of a second" in refused(
        replace(model, vrrp=vrrp)
    )


@given(st.integers(min_value=10, max_value=4095))
def test_every_interval_in_hundredths_is_taken(hundredths: int) -> None:
    model = lab()
    vrrp = model.vrrp.model_copy(update={"advert_interval": hundredths / 100})

    verify(replace(model, vrrp=vrrp))


def test_routers_without_balancers_are_refused() -> None:
    assert "no balancer VIP to forward public requests to" in refused(replace(lab(), balancers=()))


def test_a_balancer_vip_that_is_the_routers_is_refused() -> None:
    assert "198.18.10.1 is a VIP of the routers and of the balancers" in refused(
        replace(lab(), balancers=(IPv4Address("198.18.10.1"),))
    )


def test_a_balancer_vip_outside_the_lan_is_refused() -> None:
    assert "the balancers' 192.0.2.10 is not in 198.18.10.0/24" in refused(
        replace(lab(), balancers=(IPv4Address("192.0.2.10"),))
    )


def test_nobody_for_sshd_is_refused() -> None:
    assert "nobody may reach sshd" in refused(replace(lab(), management_sources=()))


def test_no_groups_and_no_ports_are_both_named() -> None:
    said = refused(replace(lab(), vips=(), public_ports=()))

    assert "no VIP group" in said
    assert "no public port is forwarded" in said


def test_a_machine_without_a_wan_leg_is_refused_by_name() -> None:
    args = rendered.routers_args(stacks.lab())
    blind = replace(
        args.machines[0],
        addresses={k: v for k, v in args.machines[0].addresses.items() if k != "wan"},
    )

    with pytest.raises(ValueError, match="router-a is a router without a leg on the wan network"):
        model_of(replace(args, machines=[blind, args.machines[1]]))


def test_an_empty_list_of_ranges_is_refused_with_its_consequence() -> None:
    with pytest.raises(RoutersError, match="the list is empty; the routers would drop every"):
        cdn_ranges([])


def test_ranges_are_sorted_and_listed_once() -> None:
    assert cdn_ranges(["198.51.100.0/24", "192.0.2.0/24", "198.51.100.0/24"]) == (
        IPv4Network("192.0.2.0/24"),
        IPv4Network("198.51.100.0/24"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2001:db8::/32", "'2001:db8::/32' is not an IPv4 network"),
        ("198.51.100.7/24", "'198.51.100.7/24' is not an IPv4 network"),
        ("everybody", "'everybody' is not an IPv4 network"),
        ("0.0.0.0/0", "0.0.0.0/0 is wider than a /8: it would let everybody"),
    ],
)
def test_a_range_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(RoutersError) as caught:
        cdn_ranges([text, "198.51.100.0/24"])

    assert said in str(caught.value)

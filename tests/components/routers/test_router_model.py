"""What is decided about a pair of routers."""

from __future__ import annotations

from ipaddress import IPv4Address

from tests.components import rendered, stacks


def test_what_another_group_let_in_does_not_leave_by_the_first_ones_gateway() -> None:
    both = rendered.routers_model(stacks.two_groups())

    assert both.source_routes == {IPv4Address("198.18.10.13"): IPv4Address("198.18.10.4")}
    assert rendered.routers_model(stacks.lab()).source_routes == {}


def test_each_router_is_at_home_in_the_group_it_owns_and_else_in_the_first() -> None:
    both, one = rendered.routers_model(stacks.two_groups()), rendered.routers_model(stacks.lab())

    assert [both.home(name).name for name in ("router-a", "router-b")] == ["edge", "second"]
    assert [one.home(name).name for name in ("router-a", "router-b")] == ["edge", "edge"]


def test_public_vips_lead_to_the_balancers_in_turn() -> None:
    both = rendered.routers_model(stacks.two_groups())

    assert [(str(public), str(target)) for public, target in both.targets] == [
        ("203.0.113.10", "198.18.10.10"),
        ("203.0.113.11", "198.18.10.13"),
    ]


def test_a_link_has_two_ends_or_is_none() -> None:
    link = rendered.routers_model(stacks.lab()).link("router-b")

    assert link is not None
    assert (str(link.ours.ip), str(link.theirs.ip)) == ("198.18.20.3", "198.18.20.2")
    assert rendered.routers_model(stacks.single()).link("router-a") is None

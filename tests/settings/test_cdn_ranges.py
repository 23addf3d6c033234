"""What a CDN's ranges must be before they may open anything."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settings.models import RangesRefused, usable_ranges


def test_ranges_are_sorted_and_without_overlaps() -> None:
    assert usable_ranges(["198.51.100.128/25", "192.0.2.0/24", "198.51.100.0/24"], "list") == [
        "192.0.2.0/24",
        "198.51.100.0/24",
    ]


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ([], "list: no IPv4 range at all, and an empty set would shut everybody out; the set in"),
        (["0.0.0.0/0"], "list: 0.0.0.0/0 is wider than a /8 and would let everybody in; the set"),
        (["8.0.0.0/8", "9.0.0.0/32"], "list: the ranges take more than a /8 together and would"),
        (["198.51.100.1/24"], "list: 198.51.100.1/24 has host bits set; the set in use stays"),
        (["2001:db8::/32"], "list: Expected 4 octets in '2001:db8::'; the set in use stays"),
    ],
)
def test_a_set_that_would_shut_out_or_let_in_everybody_is_refused(
    ranges: list[str], message: str
) -> None:
    with pytest.raises(RangesRefused, match=message):
        usable_ranges(ranges, "list")


def test_of_both_families_each_is_judged_by_itself() -> None:
    both = ["2001:db8:1::/48", "198.51.100.0/24", "2001:db8::/48"]
    assert usable_ranges(both, "list", ipv6=True) == ["198.51.100.0/24", "2001:db8::/47"]


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (["198.51.100.0/24"], "list: no IPv6 range at all, and an empty set would shut everybody"),
        (["2001:db8::/32"], "list: no IPv4 range at all, and an empty set would shut everybody"),
        (["198.51.100.0/24", "2000::/3"], "list: 2000::/3 is wider than a /16 and would let"),
        (["192.0.2.0/24", "2600::/16", "2a00::/17"], "list: the ranges take more than a /16 tog"),
        (["192.0.2.0/24", "2001:db8::1/32"], "list: 2001:db8::1/32 has host bits set; the set"),
    ],
)
def test_of_both_families_neither_may_shut_out_or_let_in_everybody(
    ranges: list[str], message: str
) -> None:
    with pytest.raises(RangesRefused, match=message):
        usable_ranges(ranges, "list", ipv6=True)


networks = st.builds(
    lambda address, length: IPv4Network((address, length), strict=False),
    st.integers(min_value=0, max_value=2**32 - 1),
    st.integers(min_value=13, max_value=32),
)


@settings(deadline=None)
@given(st.lists(networks, min_size=1, max_size=20))
def test_what_was_let_in_is_let_in_and_nothing_else(given_networks: list[IPv4Network]) -> None:
    usable = [IPv4Network(each) for each in usable_ranges(map(str, given_networks), "list")]
    assert usable == sorted(usable)
    for network in given_networks:
        assert any(network.subnet_of(each) for each in usable)
    assert sum(each.num_addresses for each in usable) <= sum(
        each.num_addresses for each in given_networks
    )

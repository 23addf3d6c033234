"""Overlaps, collisions, names and types, over many inputs."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from settings.checks.claims import Claim
from settings.checks.names import covers, inside
from settings.checks.networks import overlapping
from settings.checks.networks_and_holders import collisions
from settings.files import inspect
from settings.models.addresses import edge_of, is_ipv6
from tests.settings.fixtures import base_config

# The cores are shared: a slow example is no failure, and nothing is written into the tree.
hypothesis_settings.register_profile("shared", deadline=None, database=None)
hypothesis_settings.load_profile("shared")

# Lengths and addresses from a small space, so that networks really meet.
networks = st.builds(
    lambda low, length: IPv4Network((0xC6120000 + low, length), strict=False),
    st.integers(0, 2**17 - 1),
    st.integers(15, 32),
)
addresses = st.integers(0xC6120A00, 0xC6120A10).map(IPv4Address)
labels = st.text("abc", min_size=1, max_size=3)
hosts = st.lists(labels, min_size=2, max_size=4).map(".".join)


@given(st.lists(networks, max_size=8))
def test_overlapping_finds_exactly_the_pairs_that_share_an_address(
    ranges: list[IPv4Network],
) -> None:
    named = [(str(index), network) for index, network in enumerate(ranges)]
    found = {(int(one[0]), int(other[0])) for one, other in overlapping(named)}
    expected = {
        (i, j)
        for i in range(len(ranges))
        for j in range(i + 1, len(ranges))
        if max(int(ranges[i][0]), int(ranges[j][0])) <= min(int(ranges[i][-1]), int(ranges[j][-1]))
    }
    assert found == expected


@given(st.lists(addresses, max_size=20))
def test_collisions_name_the_first_and_every_later_holder_once(held: list[IPv4Address]) -> None:
    claims = [
        Claim(path=str(index), address=address, segment="lan", owner=f"m{index}")
        for index, address in enumerate(held)
    ]
    found = list(collisions(claims))
    assert len(found) == len(held) - len(set(held))
    for earlier, later in found:
        assert earlier.address == later.address
        assert int(earlier.path) == held.index(later.address) < int(later.path)
    assert len({later.path for _, later in found}) == len(found)


@given(networks, st.integers(0, 2**17 - 1))
def test_an_edge_is_an_address_no_host_has(network: IPv4Network, offset: int) -> None:
    address = network[offset % network.num_addresses]
    host = address in set(network.hosts()) if network.num_addresses <= 256 else None
    if host is not None:
        assert (edge_of(address, network) is None) == host


@given(hosts, hosts)
def test_a_certificate_name_covers_itself_and_a_wildcard_one_label(name: str, other: str) -> None:
    assert covers(name, name)
    assert covers(name, other) == (name == other)
    assert covers(f"*.{name}", f"x.{name}")
    assert not covers(f"*.{name}", name)
    assert not covers(f"*.{name}", f"x.y.{name}")
    assert inside(name, f"{other}.{name}")
    assert not inside(f"{name}x", name)


@given(addresses, st.sampled_from(["routers", "balancers"]), st.integers(0, 1))
def test_any_lan_address_of_the_stack_given_to_another_is_refused(
    address: IPv4Address, layer: str, index: int
) -> None:
    config = base_config()
    mine = config[f"layered-cloud:{layer}"]["machines"][index]
    held = {f"198.18.10.{last}" for last in (0, 1, 2, 3, 10, 11, 12)}
    taken = held - {mine["lan"]}
    mine["lan"] = str(address)
    _, problems = inspect(config)
    assert bool(problems) == (str(address) in taken)


@given(st.ip_addresses(v=6).map(str), st.sampled_from(["{}", "[{}]", "{}/64", "{}%eth0"]))
def test_every_ipv6_literal_is_recognized(address: str, form: str) -> None:
    assert is_ipv6(form.format(address))
    config = base_config()
    config["layered-cloud:networks"]["resolvers"] = [address]
    _, problems = inspect(config)
    assert [str(each) for each in problems] == [
        f"layered-cloud:networks.resolvers[0]: {address} is IPv6; "
        "IPv4 only for now: write an IPv4 address"
    ]


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(base_config())), junk)
def test_whatever_a_section_holds_is_answered_in_words(key: str, value: object) -> None:
    config = base_config()
    config[key] = value
    _, problems = inspect(config)
    for found in problems:
        assert found.wrong and found.right
        assert "\n" not in str(found)
        assert "pydantic" not in str(found) and "Input should" not in str(found)

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from lab.network import Topology, TopologyError


def test_the_default_topology_is_the_one_the_lab_stack_is_written_for() -> None:
    topology = Topology.default()
    assert {name: str(seg.network) for name, seg in topology.segments.items()} == {
        "mgmt": "198.18.0.0/24",
        "lan": "198.18.10.0/24",
        "wan": "203.0.113.0/24",
        "sync": "198.18.20.0/24",
        "users": "198.51.100.0/24",
        "internet": "192.0.2.0/24",
    }
    assert topology.nodes["runner"].address_on("mgmt") == IPv4Address("198.18.0.5")
    assert topology.nodes["depot"].address_on("internet") == IPv4Address("192.0.2.4")
    assert topology.nodes["isp"].forward and not topology.nodes["isp"].routes
    assert [name for name, node in topology.nodes.items() if node.ipv6] == []


def test_only_the_isp_routes_and_the_runner_reaches_nothing_but_management() -> None:
    nodes = Topology.default().nodes
    assert [name for name, node in nodes.items() if node.forward] == ["isp"]
    assert [leg.segment for leg in nodes["runner"].legs] == ["mgmt"]
    assert nodes["runner"].routes == {}


def test_a_topology_survives_being_written_and_read() -> None:
    topology = Topology.from_mapping(
        {
            "segments": {"lan": {"mtu": 9000}, "users": None},
            "nodes": {"client": None, "edge": None, "isp": {"legs": {"wan": "203.0.113.1"}}},
        },
        prefix="x-",
    )
    with pytest.raises(KeyError):
        topology.segments["users"]
    again = Topology.from_mapping(topology.to_mapping(), prefix="x-")
    assert again == topology
    assert again.segments["lan"].mtu == 9000


def test_the_mtu_of_all_segments_follows_the_setting() -> None:
    assert {s.mtu for s in Topology.default(mtu=1400).segments.values()} == {1400}


def test_a_bridge_is_found_by_its_name_its_alias_and_its_device() -> None:
    topology = Topology.default()
    for name in ("mgmt", "vmbr0", "lc-mgmt", "management"):
        assert topology.segment_of(name).name == "mgmt"
    with pytest.raises(KeyError):
        topology.segment_of("vmbr9")


def test_machines_may_use_the_inner_segments_only() -> None:
    assert Topology.default().bridges() == [
        "lan", "management", "mgmt", "sync", "vmbr0", "vmbr1", "vmbr2", "vmbr3", "wan",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"segment": {}},
            "lab-network.segment: no such key; valid keys are hosts, nodes, segments",
        ),
        (
            {"segments": {"lan": {"network": "10.0.0.0/24"}}},
            "segments.lan.network: 10.0.0.0/24 is not a lab address",
        ),
        ({"segments": {"lan": {"network": "nope"}}}, "write it like 198.18.10.0/24"),
        ({"segments": {"lan": {"mtu": 70000}}}, "segments.lan.mtu: 70000 is out of range"),
        ({"segments": {"lan": {"aliases": ["vmbr0"]}}}, "vmbr0 also names mgmt"),
        ({"segments": {"averylongname": {"network": "198.18.9.0/24"}}}, "at most 12 characters"),
        (
            {"nodes": {"client": {"legs": {"users": "198.51.101.1"}}}},
            "nodes.client.legs.users: 198.51.101.1 is not in 198.51.100.0/24",
        ),
        ({"nodes": {"client": {"legs": {"nowhere": "198.18.0.9"}}}}, "nowhere: no such segment"),
        (
            {"nodes": {"runner": {"legs": {"mgmt": "198.18.0.4"}}}},
            "nodes.runner: 198.18.0.4 is already depot's; pick another",
        ),
        (
            {"nodes": {"client": {"routes": {"default": "192.0.2.1"}}}},
            "nodes.client.routes.default: no leg reaches the gateway 192.0.2.1",
        ),
        ({"hosts": ["pve9"]}, "hosts: pve9 is not among the nodes"),
    ],
)
def test_a_topology_that_cannot_be_built_says_which_key_and_why(
    data: dict[str, Any], words: str
) -> None:
    with pytest.raises(TopologyError) as caught:
        Topology.from_mapping(data)
    assert words in str(caught.value)


def test_no_default_address_is_anybody_elses() -> None:
    private = [IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    for segment in Topology.default().segments.values():
        assert not any(segment.network.overlaps(net) for net in private)

"""Machines that no cluster can be made of."""

from __future__ import annotations

from components.cluster.verify import verify
from tests.components.cluster.nodes import control_plane, worker


def test_control_planes_and_workers_make_a_cluster() -> None:
    assert verify([control_plane(), worker()]) == []
    assert verify([control_plane(), control_plane(name="cp-2"), control_plane(name="cp-3")]) == []


def test_a_cluster_without_a_control_plane_is_refused() -> None:
    (problem,) = verify([worker()])
    assert problem == "cluster.control_planes: none: there is no cluster without one"


def test_an_adopted_machine_must_have_the_legs_of_its_role() -> None:
    only = {"management": worker().addresses["management"]}
    assert verify([control_plane(addresses={}), worker(addresses=only)]) == [
        "cp-1: a node needs an address on the LAN, on a leg of its own",
        "cp-1: a control plane needs an address on the management network, which its certificate "
        "names",
        "worker-1: a node needs an address on the LAN, on a leg of its own",
    ]

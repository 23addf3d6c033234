"""A node's parts, in order, and what a stack adds to them."""

from __future__ import annotations

import pytest

from components.cluster import parts
from components.cluster.model import NodeModel
from components.host.part import Part, Service, summed
from tests.components.cluster.nodes import cluster, control_plane, plain, worker
from tests.golden_files import assert_golden


@pytest.mark.parametrize("node", [control_plane(), worker()], ids=lambda node: node.name)
def test_every_file_of_a_node_is_what_was_read_and_agreed(node: NodeModel) -> None:
    for path, text in summed("cluster", parts.parts(node)).texts().items():
        assert_golden(f"cluster/lab/{node.name}{path}", text)


def test_the_parts_come_in_the_order_of_their_units() -> None:
    assert [each.name for each in parts.parts(worker(plain()))] == [
        "system",
        "leg",
        "containerd",
        "kubelet",
        "kubeadm",
    ]
    whole = summed("cluster", parts.parts(control_plane()))
    assert [service.name for service in whole.services] == [
        "layered-leg.service",
        "containerd",
        "kubelet",
    ]
    assert [check.name for check in whole.checks] == ["containerd", "kubeadm"]


def test_a_stack_adds_packages_and_files() -> None:
    node = worker(cluster(extra_packages=["nfs-common"], node_files={"/etc/x.conf": "x\n"}))
    extras = parts.parts(node)[-1]
    assert [(each.name, each.hold) for each in extras.packages] == [("nfs-common", False)]
    assert extras.texts() == {"/etc/x.conf": "x\n"}


def another(node: NodeModel) -> Part:
    return Part(name="another", services=(Service(name=f"another@{node.name}"),))


def test_one_more_row_is_one_more_daemon_on_every_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PARTS", (*parts.PARTS, another))
    whole = summed("cluster", parts.parts(worker()))
    assert [service.name for service in whole.services][-1] == "another@worker-1"

"""What settings cannot know of the machines that become nodes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from components.cluster.model import NodeModel


def verify(nodes: Sequence[NodeModel]) -> list[str]:
    """Every problem, a sentence each; empty when a cluster can be made of these."""
    problems: list[str] = []
    if not any(node.control_plane for node in nodes):
        problems.append("cluster.control_planes: none: there is no cluster without one")
    for node in nodes:
        if "lan" not in node.addresses or "lan" not in node.interfaces:
            problems.append(f"{node.name}: a node needs an address on the LAN, on a leg of its own")
        if node.control_plane and "management" not in node.addresses:
            problems.append(
                f"{node.name}: a control plane needs an address on the management network, which "
                "its certificate names"
            )
    return problems

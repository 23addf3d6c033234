"""What a stack adds to its nodes: further packages and small files. Pure."""

from __future__ import annotations

from components.cluster.model import NodeModel
from components.host.part import Package, Part, Text


def part(node: NodeModel) -> Part | None:
    """`cluster.extra_packages` and `cluster.node_files`, as they stand."""
    cluster = node.cluster
    if not cluster.extra_packages and not cluster.node_files:
        return None
    return Part(
        name="extras",
        packages=tuple(Package(name=name) for name in cluster.extra_packages),
        files=tuple(
            Text(path=path, content=content) for path, content in cluster.node_files.items()
        ),
    )

"""The cluster and public services: some node has room for a pod."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_CORE = 1000
"""Thousandths."""


@reads("cluster", "services")
def some_node_has_room_for_a_pod(stack: Stack) -> Iterator[Problem]:
    """Kubernetes keeps for a pod what it asks for, or starts it nowhere."""
    cluster = stack.cluster
    planes = cluster.control_planes if cluster.schedule_on_control_planes else []
    nodes = [*cluster.workers, *planes]
    for index, each in enumerate(stack.services if nodes else ()):
        for key, asked, most, unit in (
            ("memory", each.memory, max(node.memory for node in nodes), "MiB"),
            ("cpu", each.cpu, max(node.cores for node in nodes) * _CORE, "thousandths of a core"),
        ):
            if each.image is not None and asked >= most:
                yield problem(
                    f"services[{index}].{key}",
                    asked,
                    f"{unit} for each pod are no less than the largest node has ({most}): none "
                    "would ever start",
                    f"write less, or give a node that takes pods more than {asked}",
                )

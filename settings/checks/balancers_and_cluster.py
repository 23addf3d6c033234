"""Balancers and the cluster: a connection to a node needs a port of the balancer's own."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.balancers import SOURCE_PORTS
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("balancers", "cluster")
def connections_have_ports(stack: Stack) -> Iterator[Problem]:
    """A connection is told from others by its four ends, of which only the balancer's port differs
    between two to one node's port (RFC 9293, 3.3.1)."""
    balancers, cluster = stack.balancers, stack.cluster
    ports, targets, words = SOURCE_PORTS[1] - SOURCE_PORTS[0] + 1, 1, "the ingress' one address"
    if balancers.target == "node-port":
        own = len(cluster.control_planes) if cluster.schedule_on_control_planes else 0
        targets = len(cluster.workers) + own
        words = f"{targets} node{'' if targets == 1 else 's'} with the ingress"
    if targets and balancers.max_connections > ports * targets:
        yield problem(
            "balancers.max_connections",
            balancers.max_connections,
            f"are more than the {ports} ports a balancer has for connections to each target, for "
            f"{words}",
            f"write {ports * targets} or less, or add workers",
        )

"""The lab's networks: segments as bridges, nodes as namespaces, and no way out of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from lab.network.inspection import NamespaceStatus
from lab.network.ip import NetworkError
from lab.network.network import Network
from lab.network.topology import Leg, Node, Segment, Topology, TopologyError

__all__ = [
    "Leg",
    "NamespaceStatus",
    "Network",
    "NetworkError",
    "Node",
    "Segment",
    "Topology",
    "TopologyError",
    "down",
    "exec_in",
    "popen_in",
    "status",
    "up",
]


def up(topology: Topology | None = None) -> list[str]:
    """Bring the lab's networks up; see `Network.up`."""
    return Network(topology).up()


def down(topology: Topology | None = None) -> None:
    """Remove the lab's networks; see `Network.down`."""
    Network(topology).down()


def status(topology: Topology | None = None) -> list[NamespaceStatus]:
    """The state of every namespace; see `Network.status`."""
    return Network(topology).status()


def exec_in(node: str, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a node's namespace; see `Network.exec_in`."""
    return Network().exec_in(node, argv, **options)


def popen_in(node: str, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process in a node's namespace; see `Network.popen_in`."""
    return Network().popen_in(node, argv, **options)

"""Cables that fail: what a drill does to one port of the switch, and how it is put right."""

from __future__ import annotations

from lab.network import ip
from lab.network.topology import Topology


def isolate(topology: Topology, port: str) -> None:
    """Take a port out of its bridge. The interface at its other end keeps its carrier, as behind a
    switch that fails further on: what it sends arrives nowhere, and nothing arrives there.

    Raises:
        NetworkError: there is no such port.
    """
    ip.batch(topology.switch, [f"link set {port} nomaster"])


def join(topology: Topology, port: str, bridge: str) -> None:
    """Put a port back into a segment (its name or alias), its carrier too. Twice is fine.

    Raises:
        NetworkError: there is no such port.
        KeyError: there is no such segment.
    """
    master = topology.segment_of(bridge).bridge
    ip.batch(topology.switch, [f"link set {port} master {master} up"])


def pull(topology: Topology, *ports: str) -> None:
    """Pull the cables of ports: the interfaces at their other ends have no carrier until `join`.

    Raises:
        NetworkError: there is no such port.
    """
    ip.batch(topology.switch, [f"link set {port} down" for port in ports])

"""The networks as they are, compared with what the topology says."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from lab.network import ip
from lab.network.topology import Leg, Node, Topology


@dataclass(frozen=True, kw_only=True)
class NamespaceStatus:
    """What is known of one namespace: `wrong` lists every difference from the topology."""

    name: str
    present: bool
    wrong: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Present and as the topology says."""
        return self.present and not self.wrong


def ports(topology: Topology) -> dict[str, str]:
    """Every port of the switch and the bridge it is in."""
    rows = ip.query(topology.switch, "link", "show")
    return {row["ifname"]: row["master"] for row in rows if row.get("master")}


def port_of(node: Node, leg: Leg) -> str:
    """The name of a leg's other end, in the switch."""
    return f"{node.name[:10]}.{leg.interface.removeprefix('eth')}"


def switch_status(topology: Topology) -> NamespaceStatus:
    """The namespace with the bridges."""
    name = topology.switch
    if name not in ip.namespaces() or not ip.usable(name):
        return NamespaceStatus(name=name, present=False)
    rows = {row["ifname"]: row for row in ip.query(name, "link", "show")}
    wrong = []
    for segment in topology.segments.values():
        row = rows.get(segment.bridge)
        if row is None:
            wrong.append(f"bridge {segment.bridge} is missing")
        elif row["mtu"] != segment.mtu:
            wrong.append(f"{segment.bridge} has MTU {row['mtu']}, not {segment.mtu}")
        elif "UP" not in row["flags"]:
            wrong.append(f"{segment.bridge} is down")
    return NamespaceStatus(name=name, present=True, wrong=tuple(wrong))


def node_status(topology: Topology, node: Node) -> NamespaceStatus:
    """One node's namespace, its legs, where they are plugged in, and its routes."""
    name = topology.namespace(node.name)
    if name not in ip.namespaces() or not ip.usable(name):
        return NamespaceStatus(name=name, present=False)
    rows = {row["ifname"]: row for row in ip.query(name, "addr", "show")}
    plugged = ports(topology)
    wrong = []
    for leg in node.legs:
        segment = topology.segments[leg.segment]
        row = rows.get(leg.interface)
        if row is None:
            wrong.append(f"{leg.interface} is missing")
            continue
        inet = [info for info in row["addr_info"] if info["family"] == "inet"]
        have = [f"{info['local']}/{info['prefixlen']}" for info in inet]
        if have != [str(leg.address)]:
            wrong.append(f"{leg.interface} has {have or 'no address'}, not {leg.address}")
        if row["mtu"] != segment.mtu:
            wrong.append(f"{leg.interface} has MTU {row['mtu']}, not {segment.mtu}")
        if "UP" not in row["flags"]:
            wrong.append(f"{leg.interface} is down")
        if plugged.get(port_of(node, leg)) != segment.bridge:
            wrong.append(f"{leg.interface} is not plugged into {segment.bridge}")
    routes = {row["dst"]: row.get("gateway") for row in ip.query(name, "route", "show")}
    for to, via in node.routes.items():
        key = to if to == "default" else str(IPv4Network(to))
        if routes.get(key) != str(via):
            wrong.append(f"route to {to} goes to {routes.get(key)}, not {via}")
    return NamespaceStatus(name=name, present=True, wrong=tuple(wrong))

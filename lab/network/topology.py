"""The lab's networks as a typed model: segments, and who has a leg on which.

Pure: nothing here touches the machine. A `Topology` comes from `Topology.default()` or, with other
addresses, from a mapping (a profile's or a stack's `lab-network` block) through
`Topology.from_mapping`. Addresses are confined to the benchmark range and the documentation
networks (RFC 2544, RFC 5737), so that no lab can ever collide with a network somebody uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

ALLOWED = tuple(
    IPv4Network(net)
    for net in ("198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)
"""Where a lab's addresses may lie: RFC 2544 and the three networks of RFC 5737."""

MTU_RANGE = range(576, 65536)
MAX_NAMESPACE_NAME = 32
MAX_SEGMENT_NAME = 12
"""`lc-` plus the name is an interface name, and those end at 15 characters (IFNAMSIZ)."""


class TopologyError(ValueError):
    """A topology that cannot be built; the text names the key and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One layer-2 segment: a bridge of its own.

    Attributes:
        name: as the topology calls it, e.g. `lan`.
        network: the IPv4 network that is used on it.
        mtu: bytes, set on the bridge and on every port.
        aliases: further names a Proxmox `bridge=` may use for it (`vmbr0`).
    """

    name: str
    network: IPv4Network
    mtu: int = 1500
    aliases: tuple[str, ...] = ()

    @property
    def bridge(self) -> str:
        """The bridge's interface name inside the namespace that holds all bridges."""
        return f"lc-{self.name}"


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One interface of a node: named, addressed, and plugged into a segment."""

    segment: str
    address: IPv4Interface
    interface: str


@dataclass(frozen=True, kw_only=True)
class Node:
    """A network namespace of the lab that is no virtual machine.

    Attributes:
        name: without the prefix, e.g. `client`.
        legs: its interfaces, in order (`eth0`, `eth1`, ...).
        routes: destination (`default` or a network) to gateway.
        forward: whether it routes between its legs.
        ipv6: whether IPv6 is left on (router advertisements are ignored in any case).
    """

    name: str
    legs: tuple[Leg, ...]
    routes: Mapping[str, IPv4Address] = field(default_factory=dict)
    forward: bool = False
    ipv6: bool = False

    def address_on(self, segment: str) -> IPv4Address:
        """The address it has on a segment; raises `KeyError` when it has no leg there."""
        for leg in self.legs:
            if leg.segment == segment:
                return leg.address.ip
        raise KeyError(f"{self.name} has no leg on {segment}")


DEFAULT: dict[str, Any] = {
    "segments": {
        "mgmt": {"network": "198.18.0.0/24", "aliases": ["vmbr0", "management"]},
        "lan": {"network": "198.18.10.0/24", "aliases": ["vmbr1"]},
        "wan": {"network": "203.0.113.0/24", "aliases": ["vmbr2"]},
        "sync": {"network": "198.18.20.0/24", "aliases": ["vmbr3"]},
        "users": {"network": "198.51.100.0/24"},
        "internet": {"network": "192.0.2.0/24"},
    },
    "nodes": {
        "isp": {
            "legs": {"wan": "203.0.113.1", "users": "198.51.100.1", "internet": "192.0.2.1"},
            "forward": True,
        },
        "client": {"legs": {"users": "198.51.100.10"}, "routes": {"default": "198.51.100.1"}},
        "edge": {"legs": {"users": "198.51.100.80"}, "routes": {"default": "198.51.100.1"}},
        "stranger": {"legs": {"internet": "192.0.2.66"}, "routes": {"default": "192.0.2.1"}},
        "depot": {
            "legs": {"internet": "192.0.2.4", "mgmt": "198.18.0.4"},
            "routes": {"203.0.113.0/24": "192.0.2.1", "198.51.100.0/24": "192.0.2.1"},
        },
        "runner": {"legs": {"mgmt": "198.18.0.5"}},
        "pve1": {"legs": {"mgmt": "198.18.0.2"}},
        "pve2": {"legs": {"mgmt": "198.18.0.3"}},
    },
}
"""The lab's own networks; a profile overlays it key by key."""


@dataclass(frozen=True, kw_only=True)
class Topology:
    """Every segment and node of one lab.

    Attributes:
        prefix: what every namespace's name begins with; two labs on one machine differ in it.
        segments, nodes: by name.
        hosts: the nodes that are Proxmox hosts.
    """

    segments: Mapping[str, Segment]
    nodes: Mapping[str, Node]
    prefix: str = "lc-"
    hosts: tuple[str, ...] = ("pve1", "pve2")

    @classmethod
    def default(cls, prefix: str = "lc-", mtu: int = 1500) -> Topology:
        """The lab's own addresses, with another prefix or MTU (bytes, all segments) if asked."""
        made = cls.from_mapping({}, prefix=prefix)
        segments = {name: replace(seg, mtu=mtu) for name, seg in made.segments.items()}
        return replace(made, segments=segments)

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any], prefix: str = "lc-") -> Topology:
        """Build a topology from plain data laid over the default one.

        Shape: `segments: {NAME: {network, mtu, aliases}}`, `nodes: {NAME: {legs: {SEGMENT:
        ADDRESS}, routes: {default|NETWORK: GATEWAY}, forward, ipv6}}`, `hosts: [NAME]`. A node or
        a segment given as null is taken away.

        Raises:
            TopologyError: an unknown key, an address outside its segment or outside the ranges
                a lab may use, an address given twice, a gateway that is not on a leg.
        """
        _known("lab-network", data, {"segments", "nodes", "hosts"})
        segments = _overlay(DEFAULT["segments"], data.get("segments") or {})
        nodes = _overlay(DEFAULT["nodes"], data.get("nodes") or {})
        built = {name: _segment(name, spec) for name, spec in segments.items()}
        topology = cls(
            segments=built,
            nodes={name: _node(name, spec, built) for name, spec in nodes.items()},
            prefix=prefix,
            hosts=tuple(data.get("hosts") or ("pve1", "pve2")),
        )
        _verify(topology)
        return topology

    def to_mapping(self) -> dict[str, Any]:
        """The plain data that `from_mapping` reads back to an equal topology."""
        segments: dict[str, Any] = dict.fromkeys(DEFAULT["segments"])
        nodes: dict[str, Any] = dict.fromkeys(DEFAULT["nodes"])
        for name, seg in self.segments.items():
            segments[name] = {
                "network": str(seg.network),
                "mtu": seg.mtu,
                "aliases": list(seg.aliases),
            }
        for name, node in self.nodes.items():
            nodes[name] = {
                "legs": {leg.segment: str(leg.address.ip) for leg in node.legs},
                "routes": {to: str(via) for to, via in node.routes.items()},
                "forward": node.forward,
                "ipv6": node.ipv6,
            }
        return {"segments": segments, "nodes": nodes, "hosts": list(self.hosts)}

    @property
    def switch(self) -> str:
        """The namespace that holds every bridge."""
        return self.namespace("net")

    def namespace(self, node: str) -> str:
        """The full name of a node's namespace; an already full name is returned unchanged."""
        return node if node.startswith(self.prefix) else self.prefix + node

    def segment_of(self, bridge: str) -> Segment:
        """The segment behind a Proxmox bridge name: its own name, an alias, or the device's.

        Raises:
            KeyError: no such bridge.
        """
        for segment in self.segments.values():
            if bridge in (segment.name, segment.bridge, *segment.aliases):
                return segment
        raise KeyError(bridge)

    def bridges(self) -> list[str]:
        """Every name a virtual machine's NIC may use as `bridge=`."""
        hosted = {leg.segment for host in self.hosts for leg in self.nodes[host].legs}
        carried = [s for s in self.segments.values() if s.aliases or s.name in hosted]
        return sorted(name for seg in carried for name in (seg.name, *seg.aliases))


def _known(where: str, data: Mapping[str, Any], keys: set[str]) -> None:
    for key in data:
        if key not in keys:
            valid = ", ".join(sorted(keys))
            raise TopologyError(f"{where}.{key}: no such key; valid keys are {valid}")


def _overlay(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    merged = {name: dict(spec) for name, spec in base.items()}
    for name, spec in over.items():
        if spec is None:
            merged.pop(name, None)
        else:
            merged[name] = {**merged.get(name, {}), **spec}
    return merged


def _segment(name: str, spec: Mapping[str, Any]) -> Segment:
    where = f"segments.{name}"
    _known(where, spec, {"network", "mtu", "aliases"})
    if len(name) > MAX_SEGMENT_NAME:
        raise TopologyError(f"{where}: a name has at most {MAX_SEGMENT_NAME} characters")
    try:
        network = IPv4Network(str(spec.get("network")))
    except ValueError as err:
        raise TopologyError(f"{where}.network: {err}; write it like 198.18.10.0/24") from err
    if not any(network.subnet_of(allowed) for allowed in ALLOWED):
        ranges = ", ".join(map(str, ALLOWED))
        raise TopologyError(f"{where}.network: {network} is not a lab address; use one of {ranges}")
    mtu = int(spec.get("mtu", 1500))
    if mtu not in MTU_RANGE:
        raise TopologyError(f"{where}.mtu: {mtu} is out of range; 576 to 65535 bytes")
    return Segment(name=name, network=network, mtu=mtu, aliases=tuple(spec.get("aliases") or ()))


def _node(name: str, spec: Mapping[str, Any], segments: Mapping[str, Segment]) -> Node:
    where = f"nodes.{name}"
    _known(where, spec, {"legs", "routes", "forward", "ipv6"})
    legs = []
    for index, (segment, address) in enumerate((spec.get("legs") or {}).items()):
        if segment not in segments:
            raise TopologyError(f"{where}.legs.{segment}: no such segment")
        network = segments[segment].network
        ip = IPv4Address(str(address))
        if ip not in network:
            raise TopologyError(f"{where}.legs.{segment}: {ip} is not in {network}")
        legs.append(
            Leg(
                segment=segment,
                address=IPv4Interface(f"{ip}/{network.prefixlen}"),
                interface=f"eth{index}",
            )
        )
    routes = {str(to): IPv4Address(str(via)) for to, via in (spec.get("routes") or {}).items()}
    for to, via in routes.items():
        if not any(via in leg.address.network for leg in legs):
            raise TopologyError(f"{where}.routes.{to}: no leg reaches the gateway {via}")
    return Node(
        name=name,
        legs=tuple(legs),
        routes=routes,
        forward=bool(spec.get("forward", False)),
        ipv6=bool(spec.get("ipv6", False)),
    )


def _verify(topology: Topology) -> None:
    owners: dict[IPv4Address, str] = {}
    for node in topology.nodes.values():
        if len(topology.namespace(node.name)) > MAX_NAMESPACE_NAME:
            raise TopologyError(f"nodes.{node.name}: the name is too long for a namespace")
        for leg in node.legs:
            other = owners.setdefault(leg.address.ip, node.name)
            if other != node.name:
                raise TopologyError(
                    f"nodes.{node.name}: {leg.address.ip} is already {other}'s; pick another"
                )
    names: dict[str, str] = {}
    for segment in topology.segments.values():
        for name in (segment.name, *segment.aliases):
            if names.setdefault(name, segment.name) != segment.name:
                raise TopologyError(
                    f"segments.{segment.name}.aliases: {name} also names {names[name]}"
                )
    for host in topology.hosts:
        if host not in topology.nodes:
            raise TopologyError(f"hosts: {host} is not among the nodes")

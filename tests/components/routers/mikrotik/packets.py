"""What a RouterOS router does with a packet: its firewall's tables, walked as the manual tells.

firewall-and-quality-of-service/packet-flow-in-routeros: dstnat before filter, srcnat after it. A
rule matches when all of its matchers do; the first verdict counts; a chain that ends goes back to
where it was jumped to from, and a built-in one that ends accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from tests.components.routers.mikrotik.router_os import RouterOs

_SAYS = {
    *("chain", "action", "comment", "disabled", ".id", "jump-target", "log-prefix"),
    *("to-addresses", "to-ports", "limit", "dst-limit"),
}
"""What a rule says that matches nothing: limits are not reached by one packet."""


@dataclass(frozen=True, kw_only=True)
class Packet:
    """A packet that comes in by `into`, and leaves by `out` unless it is for the router itself."""

    into: str
    src: str
    dst: str
    out: str | None = None
    protocol: str = "tcp"
    port: int = 0
    icmp: str = "8:0"
    state: str = "new"
    translated: bool = False
    """Its destination was (connection-nat-state)."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of a packet, and which drop it was."""

    accepted: bool
    why: str | None
    packet: Packet


def dstnat(router: RouterOs, packet: Packet) -> Packet:
    """The packet as its destination is translated."""
    rule = _verdict(router, "/ip/firewall/nat", "dstnat", packet)
    if rule is None or rule["action"] != "dst-nat":
        return packet
    port = int(rule.get("to-ports", packet.port))
    return replace(packet, dst=rule["to-addresses"], port=port, translated=True)


def srcnat(router: RouterOs, packet: Packet) -> str:
    """The source that the packet leaves with."""
    rule = _verdict(router, "/ip/firewall/nat", "srcnat", packet)
    return rule["to-addresses"] if rule is not None and rule["action"] == "src-nat" else packet.src


def fate(router: RouterOs, packet: Packet) -> Fate:
    """Whether the packet passes `input`, or `forward` when it leaves again."""
    chain = "input" if packet.out is None else "forward"
    rule = _verdict(router, "/ip/firewall/filter", chain, packet)
    accepted = rule is None or rule["action"] == "accept"
    return Fate(accepted=accepted, why=None if rule is None else rule.get("comment"), packet=packet)


def _verdict(router: RouterOs, menu: str, chain: str, packet: Packet) -> dict[str, Any] | None:
    for rule in router.items(menu, chain=chain, disabled="no"):
        if not _matches(router, rule, packet):
            continue
        if rule["action"] == "jump":
            found = _verdict(router, menu, rule["jump-target"], packet)
            if found is not None:
                return found
        elif rule["action"] != "log":
            return rule
    return None


def _matches(router: RouterOs, rule: dict[str, Any], packet: Packet) -> bool:
    asked = {key: str(value) for key, value in rule.items() if key not in _SAYS}
    return all(_MATCHERS[key](router, value, packet) for key, value in asked.items())


def _within(address: str, network: str) -> bool:
    return IPv4Address(address) in IPv4Network(network)


def _listed(router: RouterOs, name: str, address: str) -> bool:
    entries = router.items("/ip/firewall/address-list", list=name)
    return any(_within(address, each["address"]) for each in entries)


def _member(router: RouterOs, name: str, interface: str | None) -> bool:
    return bool(router.items("/interface/list/member", list=name, interface=interface))


def _local(router: RouterOs, address: str) -> bool:
    return any(each["address"].split("/")[0] == address for each in router.items("/ip/address"))


def _among(port: int, ranges: str) -> bool:
    parts = [each.partition("-") for each in ranges.split(",")]
    return any(int(low) <= port <= int(high or low) for low, _, high in parts)


_MATCHERS: Mapping[str, Callable[[RouterOs, str, Packet], bool]] = {
    "src-address": lambda _, value, packet: _within(packet.src, value),
    "dst-address": lambda _, value, packet: _within(packet.dst, value),
    "src-address-list": lambda router, value, packet: _listed(router, value, packet.src),
    "dst-address-list": lambda router, value, packet: _listed(router, value, packet.dst),
    "src-address-type": lambda router, value, packet: (
        _local(router, packet.src) != value.startswith("!")
    ),
    "in-interface": lambda _, value, packet: packet.into == value,
    "out-interface": lambda _, value, packet: packet.out == value,
    "in-interface-list": lambda router, value, packet: _member(router, value, packet.into),
    "out-interface-list": lambda router, value, packet: _member(router, value, packet.out),
    "protocol": lambda _, value, packet: packet.protocol == value,
    "dst-port": lambda _, value, packet: _among(packet.port, value),
    "icmp-options": lambda _, value, packet: packet.icmp == value,
    "connection-state": lambda _, value, packet: packet.state in value.split(","),
    "connection-nat-state": lambda _, value, packet: packet.translated == (value == "dstnat"),
}

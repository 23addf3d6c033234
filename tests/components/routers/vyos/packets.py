"""What a VyOS router does with a packet: the rules of a configuration, walked as its documentation
tells (configuration/firewall/index, the flow of a packet; configuration/firewall/ipv4,
configuration/nat/nat44): destination NAT before the hooks, source NAT after them; in the order of
the numbers, the first verdict counts, and a chain that ends does its default action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from tests.components.routers.vyos.grammar import Tree


@dataclass(frozen=True, kw_only=True)
class Packet:
    """A packet that comes in by `into`, and leaves by `out` unless it is for the router itself."""

    into: str
    src: str
    dst: str
    out: str | None = None
    protocol: str = "tcp"
    port: int = 0
    icmp: str = "echo-request"
    state: str = "new"
    translated: bool = False
    """Its destination was (connection-status nat destination)."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of a packet, by which rule, and whether a line was logged."""

    action: str
    why: str | None
    logged: bool
    packet: Packet

    @property
    def accepted(self) -> bool:
        return self.action == "accept"


def one(value: Tree) -> str:
    (word,) = value
    return word


def dstnat(root: Tree, packet: Packet) -> Packet:
    """The packet as its destination is translated."""
    rule = _first(root, root["nat"]["destination"], packet)
    if rule is None or "exclude" in rule:
        return packet
    to = rule["translation"]
    port = int(one(to["port"])) if "port" in to else packet.port
    return replace(packet, dst=one(to["address"]), port=port, translated=True)


def srcnat(root: Tree, packet: Packet) -> str:
    """The source that the packet leaves with."""
    rule = _first(root, root["nat"]["source"], packet)
    if rule is None or "exclude" in rule:
        return packet.src
    return one(rule["translation"]["address"])


def fate(root: Tree, packet: Packet) -> Fate:
    """Whether the packet passes `input`, or `forward` when it leaves again."""
    hook = "input" if packet.out is None else "forward"
    logged: list[str] = []
    action, why = _walk(root, root["firewall"]["ipv4"][hook]["filter"], packet, logged)
    return Fate(action=action, why=why, logged=bool(logged), packet=packet)


def through(root: Tree, packet: Packet) -> Fate:
    """A packet that is routed once its destination is translated."""
    return fate(root, dstnat(root, packet))


def _rules(chain: Tree) -> list[Tree]:
    return [rule for _, rule in sorted(chain.get("rule", {}).items(), key=lambda it: int(it[0]))]


def _first(root: Tree, chain: Tree, packet: Packet) -> Tree | None:
    return next((rule for rule in _rules(chain) if _matches(root, rule, packet)), None)


def _walk(root: Tree, chain: Tree, packet: Packet, logged: list[str]) -> tuple[str, str | None]:
    for rule in _rules(chain):
        if not _matches(root, rule, packet):
            continue
        why = next(iter(rule.get("description", {})), None)
        action = one(rule["action"])
        if "log" in rule:
            logged.append(why or "")
        if action == "jump":
            below = root["firewall"]["ipv4"]["name"][one(rule["jump-target"])]
            action, why = _walk(root, below, packet, logged)
        elif action == "return":
            return action, None
        if action not in ("return", "continue"):
            return action, why
    return one(chain["default-action"]), None


_SAYS = {
    *("action", "description", "jump-target", "translation", "exclude", "log"),
    *("limit", "recent"),
}
"""What a rule says that matches nothing: a limit is kept by one packet, and `recent` is over it for
the packets that tests say so of."""


def _matches(root: Tree, rule: Tree, packet: Packet) -> bool:
    if "recent" in rule:
        return False
    asked = {key: value for key, value in rule.items() if key not in _SAYS}
    return all(_match(root, key, value, packet) for key, value in asked.items())


def _match(root: Tree, key: str, value: Tree, packet: Packet) -> bool:
    if key in ("source", "destination"):
        return _side(root, packet.src if key == "source" else packet.dst, value, packet.port)
    return _MATCHERS[key](value, packet)


_MATCHERS: Mapping[str, Callable[[Tree, Packet], bool]] = {
    "state": lambda value, packet: packet.state in value,
    "protocol": lambda value, packet: packet.protocol == one(value),
    "icmp": lambda value, packet: packet.icmp == one(value["type-name"]),
    "connection-status": lambda value, packet: (
        packet.translated == (one(value["nat"]) == "destination")
    ),
    "inbound-interface": lambda value, packet: packet.into == one(value["name"]),
    "outbound-interface": lambda value, packet: packet.out == one(value["name"]),
}


def _side(root: Tree, address: str, value: Tree, port: int) -> bool:
    judges: Mapping[str, Callable[[Tree], bool]] = {
        "address": lambda below: _within(address, below),
        "port": lambda below: _among(port, one(below)),
        "group": lambda below: _grouped(root, address, below),
    }
    return all(judges[word](below) for word, below in value.items())


def _within(address: str, networks: Tree) -> bool:
    return any(IPv4Address(address) in IPv4Network(each) for each in networks)


def _grouped(root: Tree, address: str, groups: Tree) -> bool:
    ((kind, named),) = groups.items()
    members = root["firewall"]["group"][kind][one(named)]
    return _within(address, members["network" if kind == "network-group" else "address"])


def _among(port: int, ranges: str) -> bool:
    parts = [each.partition("-") for each in ranges.split(",")]
    return any(int(low) <= port <= int(high or low) for low, _, high in parts)

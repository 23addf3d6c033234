"""The commands that VyOS accepts, of those that the routers are given: a grammar of our own, by
what the pages of VyOS' documentation (docs.vyos.io, sagitta) and the interface definitions of
vyos-1x (branches sagitta and current) say of each path.

A pattern is a path with its value last. `<…>` is a word of a form below, `a|b` one of several; a
pattern that ends in `*` may have several values, any other one has one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from tests.components.routers.vyos import routing
from tests.components.routers.vyos.routing import Tree

_RULE = (
    "action accept|continue|drop|jump|queue|reject|return|synproxy",
    "description <text>",
    "jump-target <chain>",
    "state established|invalid|new|related*",
    "connection-status nat destination|source",
    "protocol <protocol>",
    "icmp type-name <icmp>",
    "source address <net>",
    "source group network-group|address-group <name>",
    "destination address <net>",
    "destination port <ports>",
    "destination group network-group|address-group <name>",
    "inbound-interface name <interface>",
    "outbound-interface name <interface>",
    "limit rate <rate>",
    "limit burst <0-4294967295>",
    "recent count <1-255>",
    "recent time second|minute|hour",
    "log",
)
"""configuration/firewall/ipv4, and include/firewall/common-rule-ipv4.xml.i."""
_NAT = (
    "description <text>",
    "exclude",
    "protocol <protocol>",
    "source address <net>",
    "source group network-group|address-group <name>",
    "destination address <net>",
    "destination port <ports>",
    "translation address <ipv4>",
    "translation port <ports>",
)
"""configuration/nat/nat44, and include/nat-rule.xml.i."""

PAGES: Mapping[str, Sequence[str]] = {
    "configuration/interfaces/ethernet, bonding, bridge": [
        f"interfaces {kind}{vlan} {below}"
        for kind in ("ethernet <eth>", "bonding <bond>", "bridge <br>")
        for vlan in ("", " vif <0-4094>")
        for below in ("address <interface-address>*", "mtu <68-16000>", "ip adjust-mss <536-65535>")
    ],
    "configuration/protocols/static": ["protocols static route <net> next-hop <ipv4>*"],
    "configuration/system/host-name, name-server, ipv6": [
        *("system host-name <host>", "system domain-name <host>", "system name-server <ipv4>*"),
        "system ipv6 disable-forwarding",
    ],
    "configuration/service/ssh": [
        *("service ssh listen-address <ipv4>*", "service ssh port <1-65535>*"),
        "service ssh disable-password-authentication",
    ],
    "configuration/service/ntp": [
        *("service ntp server <host>*", "service ntp listen-address <ipv4>*"),
    ],
    "configuration/firewall/global-options": [
        *(
            f"firewall global-options {name} enable|disable"
            for name in (
                *("all-ping", "broadcast-ping", "ip-src-route", "receive-redirects"),
                *("send-redirects", "syn-cookies", "ipv6-receive-redirects", "ipv6-src-route"),
            )
        ),
        "firewall global-options source-validation strict|loose|disable",
    ],
    "configuration/firewall/groups": [
        "firewall group network-group <name> network <net>*",
        "firewall group address-group <name> address <ipv4>*",
    ],
    "configuration/firewall/ipv4": [
        *(
            f"firewall ipv4 forward|input|output filter {below}"
            for below in ("default-action accept|drop", "description <text>")
        ),
        *(f"firewall ipv4 forward|input|output filter rule <1-999999> {each}" for each in _RULE),
        "firewall ipv4 name <chain> default-action accept|drop|jump|queue|reject|return",
        *(f"firewall ipv4 name <chain> rule <1-999999> {each}" for each in _RULE),
    ],
    "configuration/firewall/ipv6": [
        "firewall ipv6 forward|input|output filter default-action accept|drop",
        *(
            f"firewall ipv6 forward|input|output filter rule <1-999999> {each}"
            for each in _RULE
            if each.startswith(("action", "inbound-interface"))
        ),
    ],
    "configuration/nat/nat44": [
        *(f"nat destination rule <1-999999> {each}" for each in _NAT),
        "nat destination rule <1-999999> inbound-interface name <interface>",
        *(f"nat source rule <1-999999> {each}" for each in _NAT),
        "nat source rule <1-999999> outbound-interface name <interface>",
    ],
    "configuration/system/conntrack": [
        "system conntrack table-size <1-50000000>",
        "system conntrack timeout tcp established <1-21474836>",
        "system conntrack tcp loose enable|disable",
        "system conntrack ignore ipv4 rule <1-999999> protocol <protocol>",
        "system conntrack ignore ipv4 rule <1-999999> destination address <net>",
        "system conntrack ignore ipv4 rule <1-999999> destination port <ports>",
        "system conntrack ignore ipv4 rule <1-999999> inbound-interface <interface>",
        "system conntrack ignore ipv4 rule <1-999999> source address <net>",
        "system conntrack ignore ipv4 rule <1-999999> destination group network-group <name>",
    ],
    "configuration/system/ip": ["system ip multipath layer4-hashing"],
    "configuration/policy/prefix-list": [
        f"policy prefix-list <policy> rule <1-65535> {each}"
        for each in ("action permit|deny", "prefix <net>", "ge <0-32>", "le <0-32>")
    ],
    "configuration/policy/route-map": [
        f"policy route-map <policy> rule <1-65535> {each}"
        for each in (
            *("action permit|deny", "match ip address prefix-list <policy>"),
            "set ip-next-hop <ipv4>",
        )
    ],
    "configuration/protocols/bfd": [
        f"protocols bfd profile <profile> interval {each}"
        for each in ("multiplier <2-255>", "receive <10-60000>", "transmit <10-60000>")
    ],
    "configuration/protocols/bgp": [
        *("protocols bgp system-as <1-4294967294>", "protocols bgp parameters router-id <ipv4>"),
        "protocols bgp parameters graceful-shutdown",
        "protocols bgp parameters log-neighbor-changes",
        *("protocols bgp timers keepalive <1-65535>", "protocols bgp timers holdtime <0-65535>"),
        "protocols bgp address-family ipv4-unicast network <net>*",
        "protocols bgp address-family ipv4-unicast maximum-paths ebgp <1-256>",
        *(
            f"protocols bgp peer-group <policy> {each}"
            for each in (
                *("remote-as <1-4294967294>", "update-source <ipv4>", "bfd profile <profile>"),
                "address-family ipv4-unicast route-map import|export <policy>",
            )
        ),
        *(
            f"protocols bgp neighbor <ipv4> {each}"
            for each in ("peer-group <policy>", "description <text>", "timers connect <0-65535>")
        ),
    ],
    "configuration/system/sysctl": ["system sysctl parameter <sysctl> value <text>"],
    "configuration/service/conntrack-sync": [
        "service conntrack-sync interface <interface> peer <ipv4>",
        "service conntrack-sync listen-address <ipv4>*",
        "service conntrack-sync failover-mechanism vrrp sync-group <name>",
        "service conntrack-sync startup-resync",
        "service conntrack-sync disable-external-cache",
        "service conntrack-sync accept-protocol tcp|udp|icmp|icmp6|sctp|dccp*",
        "service conntrack-sync ignore-address <ipv4>*",
    ],
    "configuration/highavailability": [
        "high-availability vrrp global-parameters version 2|3",
        "high-availability vrrp global-parameters startup-delay <1-600>",
        "high-availability vrrp global-parameters garp master-refresh <1-600>",
        *(
            f"high-availability vrrp group <name> {each}"
            for each in (
                *("interface <interface>", "vrid <1-255>", "priority <1-255>"),
                *("advertise-interval <1-255>", "address <host-address>*", "no-preempt"),
                *("preempt-delay <0-1000>", "hello-source-address <ipv4>", "peer-address <ipv4>*"),
            )
        ),
        "high-availability vrrp sync-group <name> member <name>*",
        "high-availability vrrp sync-group <name> health-check script <path>",
        "high-availability vrrp sync-group <name> health-check interval <1-999999>",
        "high-availability vrrp sync-group <name> health-check failure-count <1-999999>",
    ],
}
"""By the page that has them."""


def _is(kind: Callable[[str], object]) -> Callable[[str], bool]:
    def judge(word: str) -> bool:
        try:
            kind(word)
        except ValueError:
            return False
        return True

    return judge


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda word: re.fullmatch(pattern, word) is not None


def _ports(word: str) -> bool:
    for each in word.split(","):
        ends = each.split("-")
        if len(ends) > 2 or not all(end.isdigit() and 1 <= int(end) <= 65535 for end in ends):
            return False
        if len(ends) == 2 and int(ends[0]) >= int(ends[1]):
            return False
    return True


FORMS: Mapping[str, Callable[[str], bool]] = {
    "text": _like(r".{0,255}"),
    "name": _like(r"[-_a-zA-Z0-9][\w\-.+]*"),
    "chain": _like(r"[a-zA-Z0-9][\w\-.]*"),
    "host": _like(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"),
    "eth": _like(r"eth[0-9]+"),
    "bond": _like(r"bond[0-9]+"),
    "br": _like(r"br[0-9]+"),
    "interface": _like(r"lo|(eth|bond|br)[0-9]+(\.[0-9]+)?"),
    "ipv4": _is(IPv4Address),
    "net": _is(IPv4Network),
    "interface-address": lambda word: "/" in word and _is(IPv4Interface)(word),
    "host-address": lambda word: "/" in word and _is(IPv4Interface)(word),
    "protocol": _like(r"all|tcp|udp|tcp_udp|icmp|vrrp"),
    "icmp": _like(r"echo-request|echo-reply"),
    "ports": _ports,
    "rate": _like(r"[1-9][0-9]*/(second|minute|hour|day)"),
    "sysctl": _like(r"[a-z0-9_]+(\.[a-z0-9_]+)+"),
    "path": _like(r"/config/[\w./-]+"),
    "policy": _like(r"[-_a-zA-Z0-9]+"),
    "profile": _like(r"[-_a-zA-Z0-9]{1,32}"),
}


def _fits(word: str, pattern: str) -> bool:
    if not pattern.startswith("<"):
        return word in pattern.split("|")
    form = pattern.strip("<>")
    if span := re.fullmatch(r"(\d+)-(\d+)", form):
        return word.isdigit() and int(span[1]) <= int(word) <= int(span[2])
    return FORMS[form](word)


_PATTERNS = [
    (pattern.removesuffix("*").split(), pattern.endswith("*"))
    for patterns in PAGES.values()
    for pattern in patterns
]


def accepts(words: Sequence[str]) -> tuple[bool, bool]:
    """Whether there is such a path with such a value, and whether it may have several."""
    for pattern, several in _PATTERNS:
        if len(words) == len(pattern) and all(map(_fits, words, pattern)):
            # A path without a value is there or not.
            return True, several or not re.search("[<|]", pattern[-1])
    return False, False


def begins(words: Sequence[str]) -> bool:
    """Whether some path begins so."""
    return any(
        len(words) <= len(pattern) and all(map(_fits, words, pattern)) for pattern, _ in _PATTERNS
    )


def tree(lines: Iterable[str]) -> Tree:
    """Configuration lines (without `set`) as a tree."""
    root: Tree = {}
    for line in lines:
        at = root
        for word in shlex.split(line):
            at = at.setdefault(word, {})
    return root


def judge(lines: Sequence[str]) -> list[str]:
    """What VyOS would say against configuration lines: first its syntax, then what its commit
    scripts look for (vyos-1x, src/conf_mode: firewall, nat, high-availability, policy,
    protocols_bgp, protocols_bfd, system_conntrack and service_conntrack-sync, `verify`)."""
    return [*_syntax(lines), *_sense(tree(lines))]


def _syntax(lines: Sequence[str]) -> Iterator[str]:
    seen: dict[tuple[str, ...], str] = {}
    for line in lines:
        words = shlex.split(line)
        there, several = accepts(words)
        if not there:
            yield f"Configuration path: [{line}] is not valid"
        elif (first := seen.setdefault(tuple(words if several else words[:-1]), line)) != line:
            yield f"{line}: has one value, and is {first} too"
    for line in {each for each in lines if list(lines).count(each) > 1}:
        yield f"{line}: is there twice"


def _sense(root: Tree) -> Iterator[str]:
    firewall = root.get("firewall", {})
    ipv4, groups = firewall.get("ipv4", {}), firewall.get("group", {})
    chains = [
        *(
            (f"{hook} filter", ipv4[hook]["filter"])
            for hook in ("input", "forward")
            if hook in ipv4
        ),
        *((f"name {name}", chain) for name, chain in ipv4.get("name", {}).items()),
    ]
    for name, chain in chains:
        for number, rule in chain.get("rule", {}).items():
            yield from (f"{name} {number}: {each}" for each in _rule(rule, ipv4, groups))
    for side in ("destination", "source"):
        for number, rule in root.get("nat", {}).get(side, {}).get("rule", {}).items():
            yield from (f"nat {side} {number}: {each}" for each in _matched(rule, groups))
            if ("exclude" in rule) == ("translation" in rule):
                yield f"nat {side} {number}: translates, or excludes"
    yield from _vrrp(root.get("high-availability", {}).get("vrrp", {}))
    own = {str(each.ip) for legs in _addresses(root).values() for each in legs}
    yield from routing.policies(root.get("policy", {}))
    yield from routing.sessions(root, own)
    yield from _tracked(root, groups)


def _tracked(root: Tree, groups: Tree) -> Iterator[str]:
    ignored = root.get("system", {}).get("conntrack", {}).get("ignore", {}).get("ipv4", {})
    for number, rule in ignored.get("rule", {}).items():
        yield from (f"conntrack ignore {number}: {each}" for each in _matched(rule, groups))
    sync = root.get("service", {}).get("conntrack-sync")
    if sync is not None:
        groups_ = root["high-availability"]["vrrp"].get("sync-group", {})
        named = list(sync.get("failover-mechanism", {}).get("vrrp", {}).get("sync-group", {}))
        if len(named) != 1 or named[0] not in groups_:
            yield f"conntrack-sync: VRRP sync-group {named} not configured"
        addresses = _addresses(root)
        for interface, peer in sync.get("interface", {}).items():
            if interface not in addresses:
                yield f"conntrack-sync: interface {interface} requires an address"
            if "peer" not in peer:
                yield f"conntrack-sync: {interface} has no peer"
        for address in sync.get("listen-address", {}):
            if address not in {str(each.ip) for own in addresses.values() for each in own}:
                yield f"conntrack-sync: listen-address {address} not assigned"


def _addresses(root: Tree) -> dict[str, list[IPv4Interface]]:
    found: dict[str, list[IPv4Interface]] = {}
    for kind in root.get("interfaces", {}).values():
        for name, interface in kind.items():
            found[name] = list(map(IPv4Interface, interface.get("address", {})))
            for vlan, below in interface.get("vif", {}).items():
                found[f"{name}.{vlan}"] = list(map(IPv4Interface, below.get("address", {})))
    return {name: each for name, each in found.items() if each}


def _rule(rule: Tree, ipv4: Tree, groups: Tree) -> Iterator[str]:
    if len(rule.get("action", {})) != 1:
        yield "one action must be defined"
        return
    (action,) = rule["action"]
    targets = list(rule.get("jump-target", {}))
    if (action == "jump") != bool(targets):
        yield "jump-target and action jump need each other"
    yield from (
        f"chain {target} does not exist" for target in targets if target not in ipv4.get("name", {})
    )
    if "recent" in rule and set(rule["recent"]) != {"count", "time"}:
        yield "recent count and time must be defined"
    yield from _matched(rule, groups)


def _matched(rule: Tree, groups: Tree) -> Iterator[str]:
    protocol = next(iter(rule.get("protocol", {})), None)
    if "icmp" in rule and protocol != "icmp":
        yield "an ICMP type needs protocol icmp"
    for side in ("source", "destination"):
        matched = rule.get(side, {})
        if "port" in matched and protocol not in ("tcp", "udp", "tcp_udp"):
            yield "protocol must be tcp, udp or tcp_udp when specifying a port"
        if {"address", "group"} <= set(matched):
            yield "address and group cannot both be defined"
        for kind, named in matched.get("group", {}).items():
            yield from (f"{kind} {name} does not exist" for name in named if
                        not groups.get(kind, {}).get(name))  # fmt: skip


def _vrrp(vrrp: Tree) -> Iterator[str]:
    used: set[tuple[str, str]] = set()
    for name, group in vrrp.get("group", {}).items():
        lacks = {"vrid", "interface", "address"} - set(group)
        if lacks:
            yield f"VRRP group {name} lacks {sorted(lacks)}"
            continue
        (vrid,), (interface,) = group["vrid"], group["interface"]
        if (vrid, interface) in used:
            yield f"VRID {vrid} can only be used once on {interface}"
        used.add((vrid, interface))
        if {"no-preempt", "preempt-delay"} <= set(group):
            yield f"VRRP group {name}: preempt-delay is not kept with no-preempt"
    for name, group in vrrp.get("sync-group", {}).items():
        members = list(group.get("member", {}))
        yield from (
            f"sync-group {name}: {each} does not exist"
            for each in members
            if each not in vrrp.get("group", {})
        )
        # "All items in a sync group should be similarly configured" (highavailability).
        for key in ("priority", "preempt-delay", "no-preempt", "advertise-interval"):
            if len({str(vrrp.get("group", {}).get(each, {}).get(key)) for each in members}) > 1:
                yield f"sync-group {name}: {key} differs among its members"

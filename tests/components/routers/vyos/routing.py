"""What VyOS' commit scripts look for in its routing (vyos-1x, src/conf_mode: policy, protocols_bgp
and protocols_bfd, `verify`)."""

from __future__ import annotations

from collections.abc import Container, Iterator
from ipaddress import IPv4Network
from typing import Any

Tree = dict[str, Any]


def policies(policy: Tree) -> Iterator[str]:
    """Of `policy`."""
    lists = policy.get("prefix-list", {})
    for name, prefix_list in lists.items():
        seen = []
        for number, rule in prefix_list["rule"].items():
            if not {"action", "prefix"} <= set(rule):
                yield f"prefix-list {name} {number}: action and prefix must be specified"
                continue
            if rule in seen:
                yield f"prefix-list {name} {number}: contains a duplicate prefix definition"
            seen.append(rule)
            # FRR's manual, ip prefix-list: the prefix's own length < ge <= le.
            (prefix,) = rule["prefix"]
            own = IPv4Network(prefix).prefixlen
            lengths = [own, *(int(next(iter(rule[each]))) for each in ("ge", "le") if each in rule)]
            if lengths[1:] and (lengths[0] >= lengths[1] or lengths != sorted(lengths)):
                yield f"prefix-list {name} {number}: {prefix} has no lengths {lengths[1:]}"
    for name, route_map in policy.get("route-map", {}).items():
        for number, rule in route_map["rule"].items():
            if "action" not in rule:
                yield f"route-map {name} {number}: action must be specified"
            asked = rule.get("match", {}).get("ip", {}).get("address", {}).get("prefix-list", {})
            yield from (
                f"route-map {name} {number}: prefix-list {each} does not exist"
                for each in asked
                if each not in lists
            )


def sessions(root: Tree, own: Container[str]) -> Iterator[str]:
    """Of `protocols bgp` and `protocols bfd`; `own` are the router's addresses."""
    protocols = root.get("protocols", {})
    bgp, profiles = protocols.get("bgp"), protocols.get("bfd", {}).get("profile", {})
    if bgp is None:
        return
    if "system-as" not in bgp:
        yield "BGP system-as number must be defined"
    maps = root.get("policy", {}).get("route-map", {})
    groups = bgp.get("peer-group", {})
    for name, group in groups.items():
        if "remote-as" not in group:
            yield f"peer-group {name}: remote-as must be set"
        for way, named in (
            group.get("address-family", {}).get("ipv4-unicast", {}).get("route-map", {}).items()
        ):
            yield from (f"peer-group {name}: {way} {each} does not exist" for each in named
                        if each not in maps)  # fmt: skip
        yield from (f"peer-group {name}: BFD profile {each} does not exist"
                    for each in group.get("bfd", {}).get("profile", {})
                    if each not in profiles)  # fmt: skip
        # bgpd binds to it, and an address that is not there is no session.
        yield from (f"peer-group {name}: {each} is not an address of the router"
                    for each in group.get("update-source", {}) if each not in own)  # fmt: skip
    for address, neighbour in bgp.get("neighbor", {}).items():
        if address in own:
            yield f"Can not configure local address as neighbor {address}"
        named = list(neighbour.get("peer-group", {}))
        if len(named) != 1 or named[0] not in groups:
            yield f"neighbor {address}: peer-group {named} does not exist"

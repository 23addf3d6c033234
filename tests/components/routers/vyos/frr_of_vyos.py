"""What VyOS makes of its BGP for FRRouting: a configuration's lines, in the words of FRR's manual,
by what vyos-1x says of each path (data/templates/frr/bgpd.frr.j2, bfdd.frr.j2 and policy.frr.j2 of
the branch sagitta)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.components.routers.vyos.grammar import Tree


def _one(value: Tree) -> str:
    (word,) = value
    return word


def frr(root: Tree) -> list[str]:
    """The lines of frr.conf, without those that begin and end a section's neighbours."""
    protocols, policy = root["protocols"], root["policy"]
    return [
        *_lists(policy["prefix-list"]),
        *_maps(policy["route-map"]),
        *_bfd(protocols.get("bfd", {})),
        *_bgp(protocols["bgp"]),
    ]


def _lists(lists: Tree) -> Iterator[str]:
    for name, each in lists.items():
        for number, rule in each["rule"].items():
            words = "".join(f" {way} {_one(rule[way])}" for way in ("ge", "le") if way in rule)
            action, prefix = _one(rule["action"]), _one(rule["prefix"])
            yield f"ip prefix-list {name} seq {number} {action} {prefix}{words}"


def _maps(maps: Tree) -> Iterator[str]:
    for name, each in maps.items():
        for number, rule in each["rule"].items():
            yield f"route-map {name} {_one(rule['action'])} {number}"
            if "match" in rule:
                listed = _one(rule["match"]["ip"]["address"]["prefix-list"])
                yield f" match ip address prefix-list {listed}"
            if "set" in rule:
                yield f" set ip next-hop {_one(rule['set']['ip-next-hop'])}"
            yield "exit"


def _bfd(bfd: Tree) -> Iterator[str]:
    if not bfd:
        return
    yield "bfd"
    for name, profile in bfd["profile"].items():
        interval = profile["interval"]
        yield f" profile {name}"
        yield f"  detect-multiplier {_one(interval['multiplier'])}"
        yield f"  receive-interval {_one(interval['receive'])}"
        yield f"  transmit-interval {_one(interval['transmit'])}"
        yield "  no shutdown"
        yield " exit"
    yield "exit"


def _bgp(bgp: Tree) -> Iterator[str]:
    family = bgp["address-family"]["ipv4-unicast"]
    yield f"router bgp {_one(bgp['system-as'])}"
    yield " no bgp ebgp-requires-policy"
    yield " no bgp default ipv4-unicast"
    yield " no bgp network import-check"
    yield " address-family ipv4 unicast"
    yield from (f"  network {each}" for each in family.get("network", {}))
    yield f"  maximum-paths {_one(family['maximum-paths']['ebgp'])}"
    yield " exit-address-family"
    for name, group in bgp["peer-group"].items():
        yield f" neighbor {name} peer-group"
        yield f" neighbor {name} remote-as {_one(group['remote-as'])}"
        if "bfd" in group:
            yield f" neighbor {name} bfd"
            yield f" neighbor {name} bfd profile {_one(group['bfd']['profile'])}"
        yield f" neighbor {name} update-source {_one(group['update-source'])}"
        maps = group["address-family"]["ipv4-unicast"]["route-map"]
        yield " address-family ipv4 unicast"
        yield f"  neighbor {name} route-map {_one(maps['export'])} out"
        yield f"  neighbor {name} route-map {_one(maps['import'])} in"
        yield f"  neighbor {name} activate"
        yield " exit-address-family"
    for address, neighbour in bgp["neighbor"].items():
        yield f" neighbor {address} peer-group {_one(neighbour['peer-group'])}"
        yield f" neighbor {address} description {_one(neighbour['description'])}"
        yield f" neighbor {address} timers connect {_one(neighbour['timers']['connect'])}"
    parameters, timers = bgp["parameters"], bgp["timers"]
    if "graceful-shutdown" in parameters:
        yield " bgp graceful-shutdown"
    yield " bgp log-neighbor-changes"
    yield f" bgp router-id {_one(parameters['router-id'])}"
    yield f" timers bgp {_one(timers['keepalive'])} {_one(timers['holdtime'])}"
    yield "exit"

"""From answers to what stands in the file: machines, their places and addresses. Pure.

What an answer gets wrong is kept as it was written, so that the settings refuse it in their own
words; what is derived from it is then derived from something else, since nobody will see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from settings.init.questions import QUESTIONS, Answers
from settings.models.addresses import Subnet, address, is_address, subnet
from settings.problems import NAMESPACE, Problem

Row = dict[str, Any]
"""One mapping of the file."""

_MOST: Final = 100
"""Of machines of a kind: more are written by hand."""
_STAND_IN: Final = "192.168.0.0/16"
_SIZES: Final[dict[tuple[str, bool], tuple[int, int, int]]] = {
    ("router", False): (1, 1024, 8),
    ("router", True): (2, 2048, 16),
    ("lb", False): (1, 2048, 8),
    ("lb", True): (2, 8192, 16),
    ("cp", False): (2, 4096, 32),
    ("cp", True): (4, 8192, 64),
    ("worker", False): (2, 4096, 32),
    ("worker", True): (8, 32768, 128),
}
"""Cores, MiB of memory and GiB of disk by kind of machine, and whether they stand in pairs."""


class Full(Exception):
    """A network has no address left; its argument is the network's key."""


class Free:
    """The addresses of a network that nobody holds yet."""

    def __init__(self, key: str, text: str, taken: list[str]) -> None:
        self.network = _network(text)
        self._key = key
        self._taken = {address(each) for each in taken if is_address(each)}

    def take(self, offset: int) -> str:
        """The address so far into the network, or the next free one."""
        size = self.network.num_addresses
        for step in range(size):
            found = self.network[(offset + step) % size]
            edge = found in (self.network.network_address, self.network.broadcast_address)
            if not edge and found not in self._taken:
                self._taken.add(found)
                return str(found)
        raise Full(self._key)

    def row(self) -> tuple[str, str]:
        """The first and last of addresses in a row: 21 from the 200th on, or the network's last
        four."""
        size = self.network.num_addresses
        first, count = (200, 21) if size >= 256 else (size - 5, 4)
        held = [self.network[first + step] for step in range(count)] if first > 0 else []
        if not held or not self._taken.isdisjoint(held):
            raise Full(self._key)
        self._taken.update(held)
        return str(held[0]), str(held[-1])


def _network(text: str) -> Subnet:
    try:
        return subnet(text)
    except ValueError:
        return subnet(_STAND_IN)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the template writes, by the names that it has there."""

    endpoint: str
    hosts: list[Row]
    pairs: bool
    segments: dict[str, Row]
    pods: str
    services: str
    resolvers: list[str]
    ntp: list[str]
    domain: str
    routers: list[Row]
    router_vip: Row
    balancers: list[Row]
    balancer_vip: Row
    control_planes: list[Row]
    workers: list[Row]
    shared: bool
    pool: Row
    names: list[str]
    cdn: str
    zone: str


def misread(given: Answers) -> Iterator[Problem]:
    """Answers that no key of the file takes as they are, so that the settings never see them."""
    for each in QUESTIONS:
        answer = given.get(each.name)
        if answer is None:
            continue
        if each.choices and answer not in each.choices:
            right = f"write {' or '.join(each.choices)}"
            yield Problem(key=f"--{each.name}", value=answer, wrong="is no choice", right=right)
        if each.number and not (answer.isascii() and answer.isdigit()):
            yield Problem(
                key=f"--{each.name}", value=answer, wrong="is no number", right="write digits"
            )
    for name in ("workers", "control-planes"):
        if _number(given[name]) > _MOST:
            right = f"write {_MOST} at most, and add the others to the file"
            yield Problem(key=f"--{name}", value=given[name], wrong="is too many", right=right)
    for host in _list(given["hosts"]):
        if "=" not in host:
            right = "write each as NAME=ADDRESS, such as pve1=10.20.0.2"
            yield Problem(key="--hosts", value=host, wrong="names no address", right=right)


def no_room(error: Full) -> Problem:
    """The problem of a network that is too small for what is asked."""
    return Problem(
        key=f"{NAMESPACE}:networks.{error}.cidr",
        wrong="has too few addresses for the machines, their VIPs and the pool",
        right="write a larger network, such as a /24, or ask for fewer machines",
    )


def plan(given: Answers) -> Plan:
    """What the answers come to; `misread` has nothing to say about them.

    Raises:
        Full: a network has no room for all of it.
    """
    hosts = _hosts(given["hosts"])
    pairs = given["pairs"] == "yes"
    ssh = [each["ssh_address"] for each in hosts]
    resolvers = _list(given["resolvers"])
    ntp = [] if given["ntp"] == "-" else _list(given["ntp"])
    asked = [*ssh, *resolvers, *ntp, given["gateway"], given["public-vip"]]
    pools = {name: Free(name, given[name], asked) for name in _networks(pairs)}
    lan, management = pools["lan"], pools["management"]
    gateway = lan.take(1)
    front = {"lan": [lan.take(10)], "management": [management.take(10)]}
    first, last = lan.row()
    names = [each["name"] for each in hosts]
    maker = _Maker(pools=pools, hosts=names, first_id=_number(given["first-vm-id"]), pairs=pairs)
    pair, letters = 2 if pairs else 1, "ab"
    planes, workers = _number(given["control-planes"]), _number(given["workers"])
    legs = ("management", "lan", "wan", *(["sync"] if pairs else []))
    make = maker.machine
    return Plan(
        endpoint=given["endpoint"],
        hosts=hosts,
        pairs=pairs,
        segments={name: _segment(given, name) for name in pools},
        pods=given["pods"],
        services=given["services"],
        resolvers=resolvers,
        ntp=ntp,
        domain=given["domain"],
        routers=[make(f"router-{letters[at]}", at, at, (11, 2), legs) for at in range(pair)],
        router_vip={
            **{"name": "edge", "owner": "router-a", "wan": [given["public-vip"]], "wan_vrid": 61},
            **{"lan": [gateway], "lan_vrid": 62},
        },
        balancers=[
            make(f"lb-{letters[at]}", 10 + at, at + 1, (21, 11), legs[:2]) for at in range(pair)
        ],
        balancer_vip={"name": "front", "owner": "lb-a", "vrid": 71, **front},
        control_planes=[
            make(f"cp-{at + 1}", 20 + at, at, (31, 21), legs[:2]) for at in range(planes)
        ],
        workers=[
            make(f"worker-{at + 1}", 30 + at, at, (41, 31), legs[:2]) for at in range(workers)
        ],
        shared=workers <= 1,
        pool={"first": first, "last": last},
        names=_list(given["names"]),
        cdn=given["cdn"],
        zone=given.get("zone", ""),
    )


@dataclass(frozen=True, kw_only=True)
class _Maker:
    pools: dict[str, Free]
    hosts: list[str]
    first_id: int
    pairs: bool

    def machine(
        self, name: str, number: int, place: int, offsets: tuple[int, int], legs: tuple[str, ...]
    ) -> Row:
        """One row; `offsets` are where addresses of this kind begin on management and LAN."""
        kind = name.partition("-")[0]
        cores, memory, disk = _SIZES[kind, self.pairs]
        start = dict(zip(("management", "lan"), offsets, strict=True))
        return {
            "name": name,
            "host": self.hosts[place % len(self.hosts)],
            "vm_id": self.first_id + number,
            **{"cores": cores, "memory": memory, "disk": disk},
            **{leg: self.pools[leg].take(start.get(leg, 2)) for leg in legs},
        }


def _networks(pairs: bool) -> list[str]:
    return ["management", "lan", "wan", *(["sync"] if pairs else [])]


def _segment(given: Answers, name: str) -> Row:
    bridge, colon, tag = given[f"{name}-bridge"].partition(":")
    vlan: Row = {"vlan": int(tag) if tag.isascii() and tag.isdigit() else tag} if colon else {}
    gateway: Row = {"gateway": given["gateway"]} if name == "wan" else {}
    return {"cidr": given[name], "bridge": bridge, **vlan, **gateway}


def _hosts(text: str) -> list[Row]:
    parts = [each.partition("=") for each in _list(text)]
    return [{"name": name.strip(), "ssh_address": at.strip()} for name, _, at in parts] or [
        {"name": "", "ssh_address": ""}
    ]


def _list(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 1

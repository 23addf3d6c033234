"""The firewall of a RouterOS router: rules by menu and chain, and the lists they look into.

The same promises as the Linux routers' table, in the words of /ip/firewall of MikroTik's CLI
reference (filter, nat, mangle, raw, address-list). The chains that filter and translate end in a
verdict, so that rules that stand behind ours in the built-in chains are not asked. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses

from components.routers.mikrotik.vrrp import ports
from components.routers.model import Router, RoutersModel
from settings.models import Forward

_IN, _OUT = "in-interface-list=layered-wan", "out-interface-list=layered-wan"
_FROM_LAN, _TO_LAN = "in-interface-list=layered-lan", "out-interface-list=layered-lan"
_NEW = "connection-nat-state=dstnat"
_ECHO = "protocol=icmp icmp-options=8:0"
_HEADERS = 40
"""Bytes of an IPv4 and a TCP header without options."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a chain of ours; `text` is what it says besides its chain."""

    chain: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Menu:
    """One menu of the firewall; its `built_in` chains jump to ours of the same names."""

    path: str
    built_in: tuple[str, ...]
    rules: tuple[Rule, ...]


def menus(model: RoutersModel, router: Router) -> tuple[Menu, ...]:
    """What is let through, before what is translated: nothing is translated to where it is not let
    through yet."""
    return (
        Menu(
            path="/ip/firewall/filter",
            built_in=("input", "forward"),
            rules=(*_outside(model), *_input(model, router), *_forward(model, router)),
        ),
        Menu(
            path="/ip/firewall/nat",
            built_in=("dstnat", "srcnat"),
            rules=(*_dstnat(model, router), *_srcnat(model, router)),
        ),
        Menu(path="/ip/firewall/mangle", built_in=("forward",), rules=tuple(_segments(model))),
        Menu(
            path="/ip/firewall/raw",
            built_in=("prerouting", "output"),
            rules=tuple(_untracked(model, router)),
        ),
    )


def addresses(model: RoutersModel, cdn: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The address lists by name; a list that no rule looks into is not there."""
    found: dict[str, Iterable[IPv4Network]] = {
        "cdn": map(IPv4Network, cdn),
        "inside": model.inside,
        "management": model.management_sources,
        "public": map(IPv4Network, model.public),
    }
    if model.deny:
        found["denied"] = model.deny
    for each in model.forwards:
        if each.sources:
            found[f"forward-{each.name}"] = each.sources
    # An entry that is in a list already is refused (/ip/firewall/address-list, address).
    return {
        name: tuple(str(each) for each in collapse_addresses(networks))
        for name, networks in found.items()
    }


def _listed(side: str, name: str) -> str:
    return f'{side}-address-list="layered-{name}-$ourGeneration"'


def _jump(match: str, target: str) -> str:
    return f'{match} action=jump jump-target="layered-{target}-$ourGeneration"'.strip()


def _refused(model: RoutersModel, chain: str, match: str, why: str) -> Iterator[Rule]:
    """A drop, counted under its comment; logged before, in a chain whose one limit is all of
    theirs."""
    if model.log_drops_per_minute:
        yield Rule(chain=chain, text=_jump(match, "logged"))
    yield Rule(chain=chain, text=f'{match} action=drop comment="{why}"'.strip())


def _outside(model: RoutersModel) -> Iterator[Rule]:
    """Asked of every packet from the WAN, before anything else is."""
    if model.log_drops_per_minute:
        limit = f"limit={model.log_drops_per_minute}/1m,5:packet"
        yield Rule(chain="logged", text=f'{limit} action=log log-prefix="layered-drop"')
    yield from _refused(model, "outside", _listed("src", "inside"), "spoofed")
    if model.deny:
        yield from _refused(model, "outside", _listed("src", "denied"), "denied")


def _input(model: RoutersModel, router: Router) -> Iterator[Rule]:
    def rule(text: str) -> Rule:
        return Rule(chain="input", text=text)

    lan, management = router.lan.address.network, router.management
    yield rule("dst-address=127.0.0.0/8 action=accept")
    yield rule(_jump(_IN, "outside"))
    yield rule("connection-state=established,related action=accept")
    yield from _refused(model, "input", "connection-state=invalid", "invalid")
    peer, link = model.peer(router.name), model.link(router.name)
    if peer is not None and link is not None:
        yield rule(f"protocol=vrrp src-address={peer.lan.ip} {_FROM_LAN} action=accept")
        sync = f'in-interface="{link.ours.interface}" src-address={link.theirs.ip}'
        wanted = ",".join(map(str, ports(model)))
        yield rule(f"{sync} protocol=udp dst-port={wanted} action=accept")
        yield rule(f"{sync} {_ECHO} action=accept")
    inside = f'in-interface="{management.interface}" {_listed("src", "management")}'
    yield rule(
        f"{inside} dst-address={management.ip} protocol=tcp dst-port={router.ssh_port} "
        'action=accept comment="sshd"'
    )
    yield rule(f"{inside} {_ECHO} limit=50,50:packet action=accept")
    yield rule(f"{_FROM_LAN} src-address={lan} {_ECHO} limit=50,50:packet action=accept")
    yield rule(f"{_IN} {_ECHO} limit=20,20:packet action=accept")
    yield from _refused(model, "input", _listed("dst", "public"), "refused_public")
    yield from _refused(model, "input", "", "refused_input")


def _forward(model: RoutersModel, router: Router) -> Iterator[Rule]:
    def rule(text: str) -> Rule:
        return Rule(chain="forward", text=text)

    lan = router.lan.address.network
    yield rule(_jump(_IN, "outside"))
    yield rule("connection-state=established,related action=accept")
    yield from _refused(model, "forward", "connection-state=invalid", "invalid")
    for each in model.forwards:
        match = (
            f"{_IN} {_TO_LAN} {_sources(each)}{_NEW} dst-address={each.to} "
            f"protocol={each.protocol} dst-port={_range(each.to_port or each.port, each.last)}"
        )
        if each.per_source:
            limit = f"dst-limit={each.per_source}/1s,{each.per_source},src-address/1m"
            yield rule(f"{match} {limit} action=accept")
            yield from _refused(model, "forward", match, f"limited_{each.name}")
        else:
            yield rule(f"{match} action=accept")
    yield rule(f"{_IN} {_TO_LAN} {_listed('src', 'cdn')} {_NEW} action=accept")
    yield rule(f"{_FROM_LAN} {_TO_LAN} src-address={lan} {_NEW} action=accept")
    yield rule(f"{_FROM_LAN} {_OUT} src-address={lan} action=accept")
    yield from _refused(model, "forward", "", "refused_forward")


def _dstnat(model: RoutersModel, router: Router) -> Iterator[Rule]:
    def rule(text: str) -> Rule:
        return Rule(chain="dstnat", text=text)

    lan = f"{_FROM_LAN} src-address={router.lan.address.network}"
    wanted = ",".join(map(str, model.public_ports))
    for public, target in model.targets:
        to = f"dst-address={public} protocol=tcp dst-port={wanted} action=dst-nat to-addresses="
        yield rule(f'{_IN} {_listed("src", "cdn")} {to}{target} comment="cdn_http"')
        yield rule(f'{lan} {to}{target} comment="hairpin_http"')
    for each in model.forwards:
        to = f"action=dst-nat to-addresses={each.to}"
        if each.to_port:
            to += f" to-ports={each.to_port}"
        for vip in (each.vip,) if each.vip else model.forwarded:
            outside = (
                f"dst-address={vip} protocol={each.protocol} "
                f"dst-port={_range(each.port, each.last)}"
            )
            counter = f'comment="forward_{each.name}"'
            yield rule(f"{_IN} {_sources(each)}{outside} {to} {counter}")
            yield rule(f"{lan} {outside} {to} {counter}")
    yield rule("action=accept")


def _srcnat(model: RoutersModel, router: Router) -> Iterator[Rule]:
    """To the VIP, which moves with the connections. A router's own packets keep its address, and
    nothing that comes in is translated: the client's address survives."""
    home, lan = model.home(router.name), f"src-address={router.lan.address.network}"

    def rule(text: str) -> Rule:
        return Rule(chain="srcnat", text=text)

    # Without it the balancer would answer the LAN's client directly, past the router.
    yield rule(f"{_TO_LAN} {lan} src-address-type=!local action=src-nat to-addresses={home.lan[0]}")
    yield rule(f'{_OUT} {lan} action=src-nat to-addresses={home.wan[0]} comment="outbound_snat"')
    yield rule("action=accept")


def _segments(model: RoutersModel) -> Iterator[Rule]:
    """Both directions, so that neither end sends what the WAN or the LAN cannot carry."""
    most = min(model.lan_mtu, model.wan_mtu) - _HEADERS
    for match in (_IN, _OUT):
        yield Rule(
            chain="forward",
            text=f"{match} protocol=tcp tcp-flags=syn,!rst tcp-mss={most + 1}-65535 "
            f"action=change-mss new-mss={most} passthrough=yes",
        )


def _untracked(model: RoutersModel, router: Router) -> Iterator[Rule]:
    """The routers' own talk would fill the table that it replicates."""
    link = model.link(router.name)
    for chain, side in (("prerouting", "in"), ("output", "out")):
        yield Rule(chain=chain, text="protocol=vrrp action=notrack")
        if link is not None:
            wanted = ",".join(map(str, ports(model)))
            yield Rule(
                chain=chain,
                text=f'{side}-interface="{link.ours.interface}" protocol=udp dst-port={wanted} '
                "action=notrack",
            )


def _sources(each: Forward) -> str:
    return f"{_listed('src', f'forward-{each.name}')} " if each.sources else ""


def _range(first: int, last: int | None) -> str:
    return str(first) if last is None else f"{first}-{last}"

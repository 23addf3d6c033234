"""Address translation of a VyOS router. Pure.

Source: VyOS' documentation, configuration/nat/nat44: rules in the order of their numbers, the first
that matches decides; `exclude` translates nothing; groups are the firewall's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.routers.model import Router, RoutersModel
from components.routers.vyos.firewall import sources, span
from components.routers.vyos.section import Section


def section(model: RoutersModel, router: Router) -> Section:
    """All of `nat`."""
    return Section(
        owned=("nat",),
        lines=(
            *_numbered("nat destination", _destination(model, router)),
            *_numbered("nat source", _source(model, router)),
        ),
    )


def _numbered(path: str, rules: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for number, words in enumerate(rules, start=1):
        yield from (f"{path} rule {10 * number} {word}" for word in words)


def _destination(model: RoutersModel, router: Router) -> Iterator[tuple[str, ...]]:
    wan = (f"inbound-interface name {router.wan.interface}",)
    lan = (
        f"inbound-interface name {router.lan.interface}",
        f"source address {router.lan.address.network}",
    )
    wanted = ",".join(map(str, model.public_ports))
    for public, target in model.targets:
        to = (
            *(f"destination address {public}", "protocol tcp", f"destination port {wanted}"),
            f"translation address {target}",
        )
        cdn = "source group network-group layered-cdn"
        yield ("description cdn_http", *wan, cdn, *to)
        yield ("description hairpin_http", *lan, *to)
    for each in model.forwards:
        for vip in (each.vip,) if each.vip else model.forwarded:
            to = (
                *(f"destination address {vip}", f"protocol {each.protocol}"),
                f"destination port {span(each.port, each.last)}",
                f"translation address {each.to}",
                *((f"translation port {each.to_port}",) if each.to_port else ()),
            )
            name = f"description forward_{each.name}"
            yield (name, *wan, *sources(each), *to)
            yield (name, *lan, *to)


def _source(model: RoutersModel, router: Router) -> Iterator[tuple[str, ...]]:
    """To the VIP, which moves with the connections. A router's own packets keep its address, and
    nothing that comes in is translated: the client's address survives."""
    home, lan = model.home(router.name), f"source address {router.lan.address.network}"
    inwards = f"outbound-interface name {router.lan.interface}"
    yield (
        *("description own", inwards, f"source address {router.lan.ip}"),
        "exclude",
    )
    # Without it whoever is forwarded to would answer the LAN's client directly, past the router.
    targets = (*(target for _, target in model.targets), *(each.to for each in model.forwards))
    for target in dict.fromkeys(targets):
        yield (
            *("description hairpin", inwards, lan, f"destination address {target}"),
            f"translation address {home.lan[0]}",
        )
    yield (
        *("description outbound_snat", f"outbound-interface name {router.wan.interface}", lan),
        f"translation address {home.wan[0]}",
    )

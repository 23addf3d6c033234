"""The firewall of a VyOS router: the promises of the Linux routers' table, in VyOS' words. Pure.

Sources: VyOS' documentation, configuration/firewall/ipv4 (the hooks `forward filter` and `input
filter`, `connection-status nat`, `recent`, `limit`), configuration/firewall/groups and
global-options. Both hooks end in a drop, and nobody else's rules stand in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Final

from components.host.bgp import BFD_PORT, Neighbours, Peering
from components.host.bgp import PORT as BGP
from components.host.pair import Leg
from components.routers.model import Router, RoutersModel
from components.routers.vyos.section import Section, each, line
from components.routers.vyos.tracking import PORT
from settings.models import Forward, Outbound

MARK: Final = "firewall ipv4 forward filter description"
"""Where a configuration says which text made it."""

_LOGGED: Final = "layered-logged"
_OUTSIDE: Final = "layered-outside"
_NEW: Final = "connection-status nat destination"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule; `match` are its words, each a path below the rule with its value, and `why` is what
    its counter is called."""

    action: str
    match: tuple[str, ...] = ()
    why: str = ""


def section(model: RoutersModel, router: Router, cdn: Sequence[str]) -> Section:
    """All of `firewall`: groups, both hooks, IPv6 dropped, and the kernel's settings that VyOS
    keeps there. `cdn` are the CDN's ranges."""
    lan, wan = _into(router.lan), _into(router.wan)
    chains: dict[str, tuple[str, Iterable[Rule]]] = {
        f"ipv4 name {_OUTSIDE}": ("return", _outside(model)),
        "ipv4 input filter": ("drop", _input(model, router)),
        "ipv4 forward filter": ("drop", _forward(model, router, lan, wan)),
    }
    if model.log_drops_per_minute:
        # One limit for all that is dropped; the rules that drop are others.
        limit = f"limit rate {model.log_drops_per_minute}/minute"
        logs = Rule(action="return", match=(limit, "limit burst 5", "log"))
        chains = {f"ipv4 name {_LOGGED}": ("return", [logs])} | chains
    return Section(
        owned=("firewall",),
        lines=tuple(
            f"firewall {text}"
            for text in (
                *_GLOBAL,
                *_groups(model, cdn),
                *(
                    below
                    for path, (default, rules) in chains.items()
                    for below in _chain(path, default, rules)
                ),
                *(f"ipv6 {hook} filter default-action drop" for hook in ("input", "forward")),
                # The router itself talks to itself by it.
                *(f"ipv6 input filter rule 10 {word}" for word in ("action accept", _LOOPBACK)),
            )
        ),
    )


_LOOPBACK: Final = "inbound-interface name lo"
_GLOBAL: Final = tuple(
    f"global-options {name} {value}"
    for name, value in {
        "all-ping": "enable",
        "broadcast-ping": "disable",
        "ip-src-route": "disable",
        "receive-redirects": "disable",
        "send-redirects": "disable",
        # Answers may come back by another leg while a VIP moves.
        "source-validation": "loose",
        "syn-cookies": "enable",
        "ipv6-receive-redirects": "disable",
        "ipv6-src-route": "disable",
    }.items()
)


def networks(model: RoutersModel, cdn: Sequence[str]) -> dict[str, tuple[IPv4Network, ...]]:
    """The groups of networks by name, without overlaps; one that no rule looks into is not
    there."""
    found: dict[str, Iterable[IPv4Network]] = {
        "cdn": map(IPv4Network, cdn),
        "inside": model.inside,
        "management": model.management_sources,
    }
    if model.deny:
        found["denied"] = model.deny
    if model.peering is not None and model.peering.behind:
        found["pool"] = model.peering.behind
    if model.peering is not None and model.peering.announce:
        found["announced"] = (each.network for each in model.peering.announce)
    for forward in model.forwards:
        if forward.sources:
            found[f"forward-{forward.name}"] = forward.sources
    for rule in model.outbound or ():
        if rule.to:
            found[f"out-{rule.name}"] = rule.to
    return {f"layered-{name}": tuple(collapse_addresses(found[name])) for name in found}


def sources(forward: Forward) -> tuple[str, ...]:
    """Who may call, in the words of a rule."""
    return (_listed("source", f"forward-{forward.name}"),) if forward.sources else ()


def _neighbours(model: RoutersModel) -> Sequence[Neighbours]:
    return () if model.peering is None else model.peering.neighbours


def _speakers(group: Neighbours) -> str:
    return f"layered-bgp-{group.name}"


def _groups(model: RoutersModel, cdn: Sequence[str]) -> Iterator[str]:
    for name, members in networks(model, cdn).items():
        yield from each(f"group network-group {name} network", members)
    yield from each("group address-group layered-public address", model.public)
    for group in _neighbours(model):
        speakers = (end.address for end in group.members)
        yield from each(f"group address-group {_speakers(group)} address", speakers)


def _chain(path: str, default: str, rules: Iterable[Rule]) -> Iterator[str]:
    yield f"{path} default-action {default}"
    for number, rule in enumerate(rules, start=1):
        at = f"{path} rule {10 * number}"
        yield f"{at} action {rule.action}"
        if rule.action == "jump":
            yield f"{at} jump-target {rule.why}"
        elif rule.why:
            yield f"{at} description {line(rule.why)}"
        yield from (f"{at} {word}" for word in rule.match)


def _jump(target: str, match: tuple[str, ...]) -> Rule:
    return Rule(action="jump", match=match, why=target)


def _refused(model: RoutersModel, why: str, *match: str, action: str = "drop") -> Iterator[Rule]:
    if model.log_drops_per_minute:
        yield _jump(_LOGGED, match)
    yield Rule(action=action, match=match, why=why)


def _outside(model: RoutersModel) -> Iterator[Rule]:
    """Asked of every packet from the WAN, before anything else is."""
    yield from _refused(model, "spoofed", _listed("source", "inside"))
    if model.deny:
        yield from _refused(model, "denied", _listed("source", "denied"))


def _known(model: RoutersModel) -> Iterator[Rule]:
    yield Rule(action="accept", match=("state established", "state related"))
    yield from _refused(model, "invalid", "state invalid")


def _input(model: RoutersModel, router: Router) -> Iterator[Rule]:
    management, lan, wan = router.management, router.lan, router.wan
    yield Rule(action="accept", match=(_LOOPBACK,))
    yield _jump(_OUTSIDE, (_into(wan),))
    yield from _known(model)
    peer, link = model.peer(router.name), model.link(router.name)
    if peer is not None:
        for leg, theirs in ((wan, peer.wan), (lan, peer.lan)):
            match = (_into(leg), "protocol vrrp", f"source address {theirs.ip}")
            yield Rule(action="accept", match=match)
    if link is not None:
        from_peer = (_into(link.ours), f"source address {link.theirs.ip}")
        to = ("protocol udp", f"destination port {PORT}")
        yield Rule(action="accept", match=(*from_peer, *to))
        yield Rule(action="accept", match=(*from_peer, *_ECHO))
    yield from _speaking(model, router)
    inside = (_into(management), _listed("source", "management"))
    sshd = ("protocol tcp", f"destination port {router.ssh_port}")
    to_itself = f"destination address {management.ip}"
    yield Rule(action="accept", match=(*inside, to_itself, *sshd), why="sshd")
    from_lan = (_into(lan), f"source address {lan.address.network}")
    pinged: tuple[tuple[tuple[str, ...], int], ...] = (
        *((inside, 50), (from_lan, 50)),
        ((_into(wan),), 20),
    )
    for words, rate in pinged:
        yield Rule(action="accept", match=(*words, *_ECHO, f"limit rate {rate}/second"))
    public = "destination group address-group layered-public"
    yield from _refused(model, "refused_public", public)
    yield from _refused(model, "refused_input")


def _speaking(model: RoutersModel, router: Router) -> Iterator[Rule]:
    """BGP and BFD, for the neighbours alone."""
    for group in _neighbours(model):
        leg = router.wan if group.network == "wan" else router.lan
        speaks = (
            *(_into(leg), f"source group address-group {_speakers(group)}"),
            f"destination address {leg.ip}",
        )
        bgp = (*speaks, "protocol tcp", f"destination port {BGP}")
        yield Rule(action="accept", match=bgp, why=f"bgp_{group.name}")
        if group.bfd:
            bfd = (*speaks, "protocol udp", f"destination port {BFD_PORT}")
            yield Rule(action="accept", match=bfd, why=f"bfd_{group.name}")


def _forward(model: RoutersModel, router: Router, lan: str, wan: str) -> Iterator[Rule]:
    from_wan = (wan, _out(router.lan), _NEW)
    yield _jump(_OUTSIDE, (wan,))
    yield from _known(model)
    for forward in model.forwards:
        match = (
            *(*from_wan, *sources(forward), f"destination address {forward.to}"),
            f"protocol {forward.protocol}",
            f"destination port {span(forward.to_port or forward.port, forward.last)}",
        )
        if forward.per_source:
            recent = (f"recent count {forward.per_source}", "recent time second")
            yield Rule(action="drop", match=(*match, *recent), why=f"limited_{forward.name}")
        yield Rule(action="accept", match=match, why=f"forward_{forward.name}")
    yield Rule(action="accept", match=(*from_wan, _listed("source", "cdn")), why="cdn_http")
    from_lan = (lan, f"source address {router.lan.address.network}")
    hairpin = (*from_lan, _out(router.lan), _NEW)
    yield Rule(action="accept", match=hairpin, why="hairpin_http")
    out = (*from_lan, _out(router.wan))
    if model.peering is not None:
        yield from _announced(model, model.peering, (*from_lan, _out(router.lan)), out)
    if model.outbound is None:
        yield Rule(action="accept", match=out, why="outbound_snat")
    else:
        for allowed in model.outbound:
            match = (*out, *_allowed(allowed))
            yield Rule(action="accept", match=match, why=f"let_out_{allowed.name}")
        yield from _refused(model, "refused_outbound", *out, action="reject")
    yield from _refused(model, "refused_forward")


def _announced(
    model: RoutersModel, peering: Peering, behind: tuple[str, ...], out: tuple[str, ...]
) -> Iterator[Rule]:
    """From the LAN to what is announced by nodes, or by the routers themselves."""
    if peering.behind:
        pool = (*behind, _listed("destination", "pool"))
        yield Rule(action="accept", match=pool, why="lan_to_pool")
    if peering.announce:
        # What no VIP answers for ends here: the provider would send it back.
        ours = (*out, _listed("destination", "announced"))
        yield from _refused(model, "refused_announced", *ours, action="reject")


def _allowed(rule: Outbound) -> Iterator[str]:
    if rule.to:
        yield _listed("destination", f"out-{rule.name}")
    if rule.protocol == "icmp":
        yield from _ECHO
    elif rule.protocol != "any":
        yield f"protocol {rule.protocol}"
    if rule.ports:
        wanted = [span(rule.ports[0], rule.last)] if rule.last else rule.ports
        yield f"destination port {','.join(map(str, wanted))}"


_ECHO: Final = ("protocol icmp", "icmp type-name echo-request")


def _listed(side: str, name: str) -> str:
    return f"{side} group network-group layered-{name}"


def _into(leg: Leg) -> str:
    return f"inbound-interface name {leg.interface}"


def _out(leg: Leg) -> str:
    return f"outbound-interface name {leg.interface}"


def span(first: int, last: int | None) -> str:
    """One port, or a range."""
    return str(first) if last is None else f"{first}-{last}"

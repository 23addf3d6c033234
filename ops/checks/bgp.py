"""The routers' BGP sessions, as FRR or BIRD tells of them. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ops.checks.model import Check, Seen, Verdict, plural, texts
from ops.question import Machine, Question, command
from ops.site import Site


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """How a BGP daemon is asked: `states` gives the state of each session by neighbour's address
    (raises `ValueError` for what is no such answer)."""

    question: Question
    states: Callable[[str], dict[str, str]]


def of_frr(text: str) -> dict[str, str]:
    """`show bgp ipv4 unicast summary json` (FRR user guide, BGP)."""
    told = json.loads(text)
    return {address: row["state"] for address, row in told.get("peers", {}).items()}


def of_bird(text: str) -> dict[str, str]:
    """`show protocols all`: a protocol's line, then its details (BIRD user's guide, 4.2)."""
    found: dict[str, str] = {}
    address = ""
    state = ""
    for line in text.splitlines():
        key, colon, value = line.strip().partition(":")
        if colon and key == "BGP state":
            state = value.strip()
        elif colon and key == "Neighbor address":
            address = value.strip()
            found[address] = state
    return found


DAEMONS: Mapping[str, Daemon] = {
    "frr": Daemon(
        question=command("bgp", "vtysh", "-c", "show bgp ipv4 unicast summary json"),
        states=of_frr,
    ),
    "bird": Daemon(question=command("bgp", "birdc", "show", "protocols", "all"), states=of_bird),
}
"""By the word of `routers.bgp.daemon`."""


def neighbours(site: Site) -> dict[str, str]:
    """Whom each router has a session with: name by address."""
    bgp = site.stack.routers.bgp
    if bgp is None:
        return {}
    found = {str(each.address): each.name for each in bgp.upstream}
    if bgp.inside is not None:
        found |= {each.lan: each.name for each in site.nodes}
    return found


def _daemon(site: Site) -> Daemon | None:
    bgp = site.stack.routers.bgp
    return None if bgp is None else DAEMONS[bgp.daemon]


def _asks(site: Site, machine: Machine) -> Sequence[Question]:
    daemon = _daemon(site)
    return (daemon.question,) if daemon and machine.role == "router" else ()


def judge(seen: Seen) -> Verdict:
    """Each router has every session."""
    daemon = _daemon(seen.site)
    if daemon is None:
        return Verdict(said="no BGP")
    found, wrong = texts(seen, daemon.question.name)
    wanted, count = neighbours(seen.site), 0
    for router, text in found.items():
        try:
            states = daemon.states(text)
        except (ValueError, KeyError) as problem:
            wrong.append(f"{router}: its answer cannot be read: {problem}")
            continue
        for address, name in wanted.items():
            state = states.get(address, "not configured")
            count += state == "Established"
            if state != "Established":
                wrong.append(f"{router}: the session with {name} ({address}) is {state}")
    return Verdict(wrong=tuple(wrong), said=f"{plural(count, 'session')} established")


CHECK = Check(
    name="BGP sessions are established",
    layer="routers",
    asks=_asks,
    judge=judge,
    remedy="does the neighbour answer (`ping`), and do AS number and password agree? "
    "`journalctl -u frr -u bird` there says what it refused",
    page="docs/routers.md#routes-by-bgp",
    applies=lambda site: bool(neighbours(site)),
)

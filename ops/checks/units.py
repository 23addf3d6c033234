"""Whether the daemons run, and answer the probes that their parts give them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.host.pair.health import SCRIPT
from ops.checks.model import Check, Seen, Verdict, everybody, plural, texts
from ops.question import Machine, Question, command
from ops.site import Site

SERVICES = Question(
    name="services",
    kind="services",
    more={"manifests": "/var/lib/layered-cloud/*/manifest.json"},
    seconds=15,
)
FAILED = command(
    "failed units", "systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--full"
)
TAKEOVER = command("takeover", SCRIPT)
"""What a peer is told before it is touched (`components.host.pair.health`)."""
_RUNS = ("active", "reloading", "activating")


def stopped(machine: str, services: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each unit that should run and does not, or whose probe complains."""
    found = []
    for each in services:
        if each["wanted"] and each["active"] not in _RUNS:
            found.append(f"{machine}: {each['unit']} is {each['active'] or 'unknown'}")
        elif each["status"]:
            said = each["said"] or f"status {each['status']}"
            found.append(f"{machine}: {each['unit']} fails its probe: {said}")
    return found


def failed(text: str) -> list[str]:
    """The units that `systemctl list-units --state=failed --plain --no-legend` names."""
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def judge(seen: Seen) -> Verdict:
    """Units of the manifests, and failed ones whoever brought them."""
    found, wrong = texts(seen, SERVICES.name)
    units = 0
    for name, text in found.items():
        services = json.loads(text)
        units += len(services)
        wrong += stopped(name, services)
    listed, more = texts(seen, FAILED.name)
    wrong += more
    for name, text in listed.items():
        told = [each for each in failed(text) if not any(f"{name}: {each} " in w for w in wrong)]
        wrong += [f"{name}: {each} has failed" for each in told]
    said = f"{plural(units, 'unit')} of {plural(len(found), 'machine')} run, none has failed"
    return Verdict(wrong=tuple(wrong), said=said)


def _paired(site: Site, machine: Machine) -> Sequence[Question]:
    alone = machine.role not in ("router", "balancer") or len(site.of(machine.role)) < 2
    return () if alone else (TAKEOVER,)


def takeover(seen: Seen) -> Verdict:
    """Whether each of a pair could have the addresses."""
    found, wrong = texts(seen, TAKEOVER.name)
    wrong += [
        f"{name}: {text.strip() or 'says nothing'}"
        for name, text in found.items()
        if text.strip() != "healthy"
    ]
    return Verdict(wrong=tuple(wrong), said=f"{', '.join(found)}: healthy")


def _any_pair(site: Site) -> bool:
    return any(_paired(site, each) for each in site.machines if each.python)


CHECK = Check(
    name="daemons run and answer their probes",
    layer="machines",
    asks=everybody(SERVICES, FAILED),
    judge=judge,
    remedy="read `systemctl status UNIT` and `journalctl -u UNIT` there; `systemctl restart UNIT` "
    "when the cause is mended",
    page="docs/host.md#on-the-machine",
)
PAIRS = Check(
    name="each of a pair could take over",
    layer="machines",
    asks=_paired,
    judge=takeover,
    remedy="mend what it names: until then nothing takes over from its peer, and no push touches "
    "the peer",
    page="docs/host.md#in-a-pair",
    applies=_any_pair,
)

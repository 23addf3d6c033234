"""Whether what was pushed to a machine is what stands there. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.host.payload import check_request, command_line
from ops.checks.model import Check, Seen, Verdict, everybody, plural, texts
from ops.question import command

REPORT = command("manifests", "sh", "-c", command_line("check"), given=check_request(), seconds=45)
"""It waits for a push that is under way, which holds the machine's lock."""


def drifted(machine: str, report: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for all that is not as its manifest says; `report` is the agent's answer
    (`components.host.payload.check_request`)."""
    if not report:
        return [f"{machine} has no manifest"]
    return [
        f"{machine}: {layer['layer']}: {each['what']} is {each['is']}"
        for layer in report
        for each in layer["drift"]
    ]


def judge(seen: Seen) -> Verdict:
    """Of every machine that answers."""
    found, wrong = texts(seen, REPORT.name)
    layers = 0
    for name, text in found.items():
        report = json.loads(text)
        layers += len(report)
        wrong += drifted(name, report)
        wrong += [
            f"{name}: {layer['layer']}: a push waits for its confirmation"
            for layer in report
            if not layer["confirmed"]
        ]
    said = f"{plural(layers, 'manifest')} on {plural(len(found), 'machine')}"
    return Verdict(wrong=tuple(wrong), said=said)


CHECK = Check(
    name="what was pushed stands there",
    layer="machines",
    asks=everybody(REPORT),
    judge=judge,
    remedy="raise `access.epoch` and run `pulumi up`: every push is made again; first see who "
    "changed it",
    page="docs/host.md#drift",
)

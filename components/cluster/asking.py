"""What a machine that joins asks with, and what it says to those who let it in."""

from __future__ import annotations

import pulumi

from components.cluster import admission
from components.host import HostAction, HostActionArgs, Machine


def asking(machine: Machine) -> HostActionArgs:
    """Makes the machine's key and request; its result is what `asked` reads."""
    return HostActionArgs(
        machine=machine,
        name="identity",
        guard=admission.ask_guard(),
        do=admission.ask(machine.name),
        result=admission.asked(),
        result_secret=False,
    )


def asked(identity: HostAction) -> dict[str, pulumi.Output[str]]:
    """The secrets `machine` (its machine-id) and `request` (PEM) for whoever signs."""
    return {
        "machine": identity.result.apply(lambda both: both.partition("\n")[0]),
        "request": identity.result.apply(lambda both: both.partition("\n")[2]),
    }

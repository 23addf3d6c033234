"""A stack that runs, as its settings and its outputs tell of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.question import Machine
from settings.models import Stack

NODES = ("control_plane", "worker")
"""The roles that are nodes of the cluster."""


class Lacking(ValueError):
    """An output that is needed is not there; the text says which, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One stack: its name, its settings, its outputs with secrets in clear, its machines."""

    name: str
    stack: Stack
    outputs: Mapping[str, Any]
    machines: Sequence[Machine]
    config: Mapping[str, Any] = field(default_factory=dict)
    """The stack's file as it is written: whole keys."""
    secrets: Sequence[str] = ()
    """Values of its configuration that are secret, as far as they were given."""

    def of(self, *roles: str) -> list[Machine]:
        """The machines of these roles, in the order of the chain."""
        return [each for each in self.machines if each.role in roles]

    @property
    def nodes(self) -> list[Machine]:
        """Control planes and workers."""
        return self.of(*NODES)


def site(name: str, stack: Stack, outputs: Mapping[str, Any]) -> Site:
    """The stack called `name`.

    Raises:
        Lacking: `inventory` or `deploy_key` is not among the outputs.
    """
    for needed in ("inventory", "deploy_key"):
        if not outputs.get(needed):
            raise Lacking(
                f"the outputs of stack {name} have no {needed}; next: pulumi up --stack {name}, or "
                "give outputs with their secrets (pulumi stack output --json --show-secrets)"
            )
    rows: Mapping[str, Mapping[str, Any]] = outputs["inventory"]["machines"]
    try:
        machines = [_machine(key, row) for key, row in rows.items()]
    except KeyError as missing:
        raise Lacking(
            f"the output inventory of stack {name} has no {missing} of a machine: it is an older "
            f"program's; next: pulumi up --stack {name}"
        ) from None
    order = ["router", "balancer", *NODES]
    machines.sort(key=lambda each: order.index(each.role))
    return Site(name=name, stack=stack, outputs=outputs, machines=tuple(machines))


def _machine(name: str, row: Mapping[str, Any]) -> Machine:
    addresses = row["addresses"]
    return Machine(
        name=name,
        role=row["role"],
        host=row["host"],
        address=addresses["management"],
        lan=addresses["lan"],
        user=row["user"],
        port=int(row["port"]),
        host_key=row["host_key"],
        python=row["python"],
    )

"""A stack that runs, as its settings and its outputs tell of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ops.question import Machine
from settings.models import Stack

NODES = ("control_plane", "worker")
"""The roles that are nodes of the cluster."""


_ORDER: Final = ("router", "balancer", *NODES)
_FORMS: Final[Mapping[str, type]] = {"api_endpoints": Mapping, "urls": list}
"""Of outputs that may be absent."""
_KEY = "PRIVATE KEY-----"


class Lacking(ValueError):
    """An output that is needed is not there or of another form; the text says which, and what to
    do."""


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
        Lacking: `inventory` or `deploy_key` is not among the outputs, something is of another
            form than this program's, or no machine of the outputs is one of the settings'.
    """
    for needed in ("inventory", "deploy_key"):
        if not outputs.get(needed):
            raise Lacking(
                f"the outputs of stack {name} have no {needed}; next: pulumi up --stack {name}, or "
                "give outputs with their secrets (pulumi stack output --json --show-secrets)"
            )
    if _KEY not in str(outputs["deploy_key"]):
        raise Lacking(
            f"the output deploy_key of stack {name} is no private key; next: give outputs with "
            "their secrets (pulumi stack output --json --show-secrets)"
        )
    for output, form in _FORMS.items():
        if outputs.get(output) and not isinstance(outputs[output], form):
            raise _other(name, f"the output {output}")
    try:
        rows: Mapping[str, Mapping[str, Any]] = outputs["inventory"]["machines"]
        machines = [_machine(key, row) for key, row in rows.items()]
    except KeyError as missing:
        raise Lacking(
            f"the output inventory of stack {name} has no {missing} of a machine: it is an older "
            f"program's; next: pulumi up --stack {name}"
        ) from None
    except (TypeError, AttributeError, ValueError):
        raise _other(name, "the output inventory") from None
    # Either address: a stack whose management segment is being moved is still the same one.
    wanted = {str(leg) for _, spec in stack.machines() for leg in (spec.management, spec.lan)}
    wanted |= {str(leg) for _, spec in stack.physical() for leg in (spec.management, spec.lan)}
    if not any({each.address, each.lan} & wanted for each in machines):
        raise Lacking(
            f"no machine of the outputs of stack {name} is one of its settings': they are of "
            "different stacks; next: --settings and --outputs of the same one"
        )
    machines.sort(key=lambda each: _ORDER.index(each.role))
    return Site(name=name, stack=stack, outputs=outputs, machines=tuple(machines))


def _other(name: str, what: str) -> Lacking:
    return Lacking(
        f"{what} of stack {name} has another form than this program's; next: pulumi up --stack "
        f"{name} with this program, or look with the one that made the stack"
    )


def _machine(name: str, row: Mapping[str, Any]) -> Machine:
    """Raises KeyError for what is absent, ValueError or TypeError for what is something else."""
    addresses = row["addresses"]
    texts = (row["role"], addresses["management"], addresses["lan"], row["user"], row["host_key"])
    # Each becomes a word of ssh's command line or of its files.
    if not all(isinstance(each, str) and each.isprintable() for each in texts):
        raise TypeError(name)
    if row["role"] not in _ORDER or not isinstance(row["host"], str | None):
        raise ValueError(name)
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

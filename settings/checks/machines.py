"""Machines among each other, whatever their roles."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import machines
from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads()
def machines_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """Names and Proxmox ids are unique across all machines."""
    names: dict[str, str] = {}
    numbers: dict[int, str] = {}
    for path, _, spec in machines(stack):
        earlier = names.setdefault(spec.name, path)
        if earlier != path:
            yield problem(
                f"{path}.name",
                spec.name,
                f"names {earlier} already",
                "give each machine a name of its own",
            )
        holder = numbers.setdefault(spec.vm_id, path)
        if holder != path:
            yield problem(
                f"{path}.vm_id",
                spec.vm_id,
                f"is the id of {holder} already",
                f"give {spec.name} an id of its own",
            )

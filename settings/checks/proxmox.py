"""The hypervisors by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("proxmox")
def hosts_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """Proxmox host names are unique."""
    seen: dict[str, int] = {}
    for index, host in enumerate(stack.proxmox.hosts):
        earlier = seen.setdefault(host.name, index)
        if earlier != index:
            yield problem(
                f"proxmox.hosts[{index}].name",
                host.name,
                f"names proxmox.hosts[{earlier}] already",
                "list each host once, as the Proxmox cluster calls it",
            )

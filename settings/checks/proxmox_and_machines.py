"""Hypervisors and machines: each on one of them, and what must not die together spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from settings.checks.claims import machines
from settings.checks.registry import reads
from settings.models.machines import MachineSpec
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("proxmox")
def machines_have_a_host(stack: Stack) -> Iterator[Problem]:
    """Every machine stands on a host the stack names."""
    hosts = [host.name for host in stack.proxmox.hosts]
    for path, _, spec in machines(stack):
        if spec.host not in hosts:
            yield problem(
                f"{path}.host",
                spec.host,
                "is not in proxmox.hosts",
                f"write one of {', '.join(hosts)}",
            )


@reads("proxmox", "routers")
def routers_are_spread(stack: Stack) -> Iterator[Problem]:
    """One host's death takes one router at most."""
    yield from _spread(stack, "routers.machines", "routers", stack.routers.machines)


@reads("proxmox", "balancers")
def balancers_are_spread(stack: Stack) -> Iterator[Problem]:
    """One host's death takes one balancer at most."""
    yield from _spread(stack, "balancers.machines", "balancers", stack.balancers.machines)


@reads("proxmox", "cluster")
def control_planes_are_spread(stack: Stack) -> Iterator[Problem]:
    """One host's death takes as few control planes as the number of hosts allows."""
    planes = stack.cluster.control_planes
    yield from _spread(stack, "cluster.control_planes", "control planes", planes)


@reads("proxmox", "cluster")
def workers_are_spread(stack: Stack) -> Iterator[Problem]:
    """One host's death never takes every worker."""
    workers = stack.cluster.workers
    hosts = list(dict.fromkeys(host.name for host in stack.proxmox.hosts))
    standing = {worker.host for worker in workers}
    if len(hosts) > 1 and len(workers) > 1 and len(standing) == 1:
        yield problem(
            f"cluster.workers[{len(workers) - 1}].host",
            workers[-1].host,
            "has every worker: its death would take them all",
            f"spread them over {', '.join(hosts)}",
        )


def _spread(stack: Stack, path: str, what: str, specs: Sequence[MachineSpec]) -> Iterator[Problem]:
    hosts = list(dict.fromkeys(host.name for host in stack.proxmox.hosts))
    if len(hosts) < 2:
        return
    allowed = -(-len(specs) // len(hosts))
    count: Counter[str] = Counter()
    first: dict[str, str] = {}
    for index, spec in enumerate(specs):
        count[spec.host] += 1
        if count[spec.host] > allowed:
            free = [host for host in hosts if host != spec.host]
            yield problem(
                f"{path}[{index}].host",
                spec.host,
                f"has {first[spec.host]} already: {what} must not die together",
                f"put {spec.name} on {' or '.join(free)}",
            )
        first.setdefault(spec.host, spec.name)

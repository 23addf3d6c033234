"""Machines: names, numbers, hosts, legs and sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from settings.checks.claims import machines
from settings.checks.registry import reads
from settings.models.machines import MachineSpec
from settings.models.stack import Stack
from settings.problems import Problem, problem

_KUBEADM_CORES = 2
_KUBEADM_MEMORY = 1700


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


@reads("networks")
def machines_stand_on_the_right_segments(stack: Stack) -> Iterator[Problem]:
    """WAN and sync legs belong to routers; two routers share a sync segment."""
    routers = [spec for _, role, spec in machines(stack) if role == "router"]
    for path, role, spec in machines(stack):
        if role != "router":
            for leg in ("wan", "sync"):
                if getattr(spec, leg) is not None:
                    yield problem(
                        f"{path}.{leg}",
                        getattr(spec, leg),
                        f"is a leg a {role} must not have",
                        f"remove it: only routers stand on the {leg} segment",
                    )
            continue
        if spec.wan is None:
            yield problem(
                f"{path}.wan",
                None,
                "leaves a router without the WAN",
                f"give {spec.name} an address of {stack.networks.wan.cidr} beside the VIP",
            )
        if spec.sync is not None and stack.networks.sync is None:
            yield problem(
                f"{path}.sync",
                spec.sync,
                "stands on no segment: networks.sync is absent",
                "add networks.sync or remove the leg",
            )
        if spec.sync is None and len(routers) > 1 and stack.networks.sync is not None:
            yield problem(
                f"{path}.sync",
                None,
                "leaves the pair without connection tracking of the partner's flows",
                f"give {spec.name} an address on networks.sync",
            )
    if len(routers) > 1 and stack.networks.sync is None:
        yield problem(
            "networks.sync",
            None,
            "is absent although there are two routers",
            "add a segment of the routers' own: cidr and bridge",
        )


@reads("cluster")
def control_planes_are_large_enough(stack: Stack) -> Iterator[Problem]:
    """kubeadm's own preflight: 2 CPUs, 1700 MB (kubeadm implementation details)."""
    ignored = set(stack.cluster.ignore_preflight_errors)
    if "all" in ignored:
        return
    for index, spec in enumerate(stack.cluster.control_planes):
        path = f"cluster.control_planes[{index}]"
        if spec.cores < _KUBEADM_CORES and "NumCPU" not in ignored:
            yield problem(
                f"{path}.cores",
                spec.cores,
                "is too few for kubeadm",
                f"give {spec.name} {_KUBEADM_CORES} at least",
            )
        if spec.memory < _KUBEADM_MEMORY and "Mem" not in ignored:
            yield problem(
                f"{path}.memory",
                spec.memory,
                "MiB is too little for kubeadm",
                f"give {spec.name} {_KUBEADM_MEMORY} at least",
            )

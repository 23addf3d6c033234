"""Machines in maintenance: who is left to do what they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.checks.balancers_reach import HOLDING
from settings.checks.claims import standing
from settings.checks.registry import reads
from settings.checks.routers_kind import KINDS
from settings.models.machines import MachineSpec, PhysicalSpec
from settings.models.stack import Stack
from settings.problems import Problem, problem
from settings.words import nearest

_MACHINES = "maintenance.machines"


def _named(stack: Stack) -> Iterator[tuple[str, str]]:
    """Path and name, of each once."""
    names = stack.maintenance.machines
    for index, name in enumerate(names):
        if name not in names[:index]:
            yield f"{_MACHINES}[{index}]", name


@reads("maintenance", "routers", "balancers", "cluster")
def machines_in_maintenance_are_machines(stack: Stack) -> Iterator[Problem]:
    """A name that is nobody's would take nobody out of use."""
    known = [spec.name for _, _, spec in standing(stack)]
    names = stack.maintenance.machines
    for index, name in enumerate(names):
        path = f"{_MACHINES}[{index}]"
        if name not in known:
            yield problem(path, name, "is no machine of the stack", nearest(name, known))
        elif name in names[:index]:
            yield problem(path, name, "stands twice", "name each machine once")


@reads("maintenance", "routers")
def a_router_is_left(stack: Stack) -> Iterator[Problem]:
    """Its peer holds the addresses meanwhile."""
    yield from _pair(stack, "routers.machines", "router", stack.routers.members)


@reads("maintenance", "balancers")
def a_balancer_is_left(stack: Stack) -> Iterator[Problem]:
    """Its peer holds the addresses meanwhile: of several that announce the service, the first two
    alone hold those of the API."""
    machines = stack.balancers.machines
    beyond = " that may hold balancers.vips (the first two do)" if machines[HOLDING:] else ""
    yield from _pair(stack, "balancers.machines", "balancer", machines[:HOLDING], beyond)


def _pair(
    stack: Stack,
    path: str,
    role: str,
    machines: Sequence[MachineSpec | PhysicalSpec],
    beyond: str = "",
) -> Iterator[Problem]:
    members = [each.name for each in machines]
    named = [(at, name) for at, name in _named(stack) if name in members]
    if not named or len(named) < len(members):
        return
    at, name = named[-1]
    if len(members) == 1:
        wrong = f"is the only {role} ({path}): there is no peer that could hold its addresses"
        right = f"take it out, or add a second {role} first"
    else:
        wrong = f"would leave no {role}{beyond}: {named[0][1]} is named too"
        right = f"name one {role} at a time"
    yield problem(at, name, wrong, right)


@reads("maintenance", "routers")
def addresses_can_leave_a_router(stack: Stack) -> Iterator[Problem]:
    """Where nothing watches the legs of a router, its peer takes the addresses by its priority, if
    it may."""
    if stack.routers.vrrp.preempt or KINDS[stack.routers.kind].watches:
        return
    members = [each.name for each in stack.routers.members]
    for path, name in _named(stack):
        if name in members:
            yield problem(
                path,
                name,
                f"would keep its addresses: routers.kind is {stack.routers.kind}, where its peer "
                "takes them by a higher priority, and routers.vrrp.preempt is false",
                "write routers.vrrp.preempt: true, or stop the router by hand",
            )


@reads("maintenance", "routers")
def another_router_is_preferred(stack: Stack) -> Iterator[Problem]:
    """BGP asks neighbours to avoid a router in maintenance, as it does those that are drained."""
    bgp = stack.routers.bgp
    if bgp is None:
        return
    members = {each.name for each in stack.routers.members}
    for path, name in _named(stack):
        others = members - {name}
        if name in members and others and others <= set(bgp.drained):
            yield problem(
                path,
                name,
                f"would be avoided by BGP's neighbours, and routers.bgp.drained names "
                f"{', '.join(sorted(others))} too",
                "take the other one out of routers.bgp.drained first",
            )


@reads("maintenance", "cluster")
def a_majority_of_control_planes_is_left(stack: Stack) -> Iterator[Problem]:
    """Whoever is in maintenance may be stopped: etcd needs more than half of its members."""
    planes = [each.name for each in stack.cluster.control_planes]
    named = [(path, name) for path, name in _named(stack) if name in planes]
    away = [each for each in stack.cluster.unreachable if each in planes]
    lost, spare = {*away, *(name for _, name in named)}, (len(planes) - 1) // 2
    if not named or len(lost) <= spare:
        return
    path, name = named[-1]
    beside = [each for each in planes if each in lost and each != name]
    too = f" beside {', '.join(beside)}" if beside else ""
    key = " (cluster.unreachable)" if set(beside) & set(away) else ""
    yield problem(
        path,
        name,
        f"cannot be spared{too}{key}: of {len(planes)} control planes {spare or 'none'} may be "
        "away, or etcd has no majority",
        f"name {spare} at most" if spare else "take it out; a cluster with three can spare one",
    )


@reads("maintenance", "cluster", "platform")
def a_node_is_left(stack: Stack) -> Iterator[Problem]:
    """Requests go to nodes that take pods, and to those of them that run the ingress."""
    cluster = stack.cluster
    planes = cluster.control_planes if cluster.schedule_on_control_planes else []
    nodes = [each.name for each in (*planes, *cluster.workers)]
    named = [(path, name) for path, name in _named(stack) if name in nodes]
    if not named:
        return
    path, name = named[-1]
    if len(named) == len(nodes):
        yield problem(
            path,
            name,
            "would leave no node for the service"
            + (f": {', '.join(each for _, each in named[:-1])} too" if named[:-1] else ""),
            f"name {len(nodes) - 1} of the {len(nodes)} nodes at most"
            if len(nodes) > 1
            else "take it out, or add a worker first",
        )
        return
    ingress = stack.platform.ingress
    pods = ingress.replicas
    if pods is not None and pods <= len(named) and ingress.external_traffic_policy == "Local":
        yield problem(
            path,
            name,
            f"may leave no node with the ingress: platform.ingress.replicas is {pods}, and all of "
            "its pods may be on what is named",
            f"name {pods - 1} nodes at most, or write a larger platform.ingress.replicas first"
            if pods > 1
            else "write a larger platform.ingress.replicas first",
        )

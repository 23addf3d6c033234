"""Who is hit: chosen from the running lab, so that the drill hurts."""

from __future__ import annotations

import json

from lab.probes.drills.drill import NotHere
from lab.probes.drills.stream import Target
from lab.probes.edge import owners, request
from lab.probes.result import promise
from lab.probes.world import World


def router(world: World) -> str:
    """The router that holds the first public VIP."""
    if len(world.stack.routers.machines) == 1:
        raise NotHere("one router: its loss is an outage")
    return _owner(world, str(world.stack.routers.vips[0].wan[0]))


def balancer(world: World) -> str:
    """The balancer that holds the first VIP."""
    if len(world.stack.balancers.machines) == 1:
        raise NotHere("one balancer: its loss is an outage")
    return _owner(world, str(world.stack.balancers.vips[0].lan[0]))


def _owner(world: World, vip: str) -> str:
    holders = owners(world)[vip]
    promise(len(holders) == 1, f"{vip} is on {', '.join(holders) or 'no machine'}")
    return holders[0]


def control_plane(world: World) -> str:
    """The first control plane, which the program asks before any other."""
    first, *others = world.role("control_plane")
    if not others:
        raise NotHere("one control plane: its loss is an outage of the API")
    return first


def worker(world: World) -> str:
    """The last worker, where another node takes pods too."""
    workers = world.role("worker")
    if len(workers) + world.stack.cluster.schedule_on_control_planes < 2:
        raise NotHere("one node takes pods: its loss is an outage")
    return workers[-1]


def lan_to_ingress(world: World) -> Target:
    """From a router to the ingress' LoadBalancer IP: what only the announcer's node answers."""
    return Target(world.role("router")[0], _load_balancer(world))


def announcer(world: World) -> str:
    """The node that answers ARP for the ingress' LoadBalancer IP."""
    address, asker = _load_balancer(world), world.role("router")[0]
    if len(world.nodes) == 1:
        raise NotHere("one node: its loss is an outage")
    request(world, asker, address, tls=False)
    rows = json.loads(world.text(asker, ["ip", "-json", "neigh", "show", address]))
    seen = {row.get("lladdr") for row in rows}
    for node in world.nodes:
        links = json.loads(world.text(node, ["ip", "-json", "link"]))
        if seen & {row.get("address") for row in links}:
            return node
    raise NotHere(f"no node answers for {address} ({asker} sees {seen or 'nobody'})")


def _load_balancer(world: World) -> str:
    address = world.outputs.get("load_balancer_ip")
    if not address:
        raise NotHere("the ingress has no LoadBalancer IP")
    return str(address)


def everybody(world: World) -> str:
    """Every node, one after the other."""
    return ", ".join(world.nodes)

"""Balancers that all serve: each is led requests while it announces the service, and none when it
does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from lab.probes.edge import through_the_chain
from lab.probes.inside import haproxy_sessions
from lab.probes.result import promise, until
from lab.probes.world import World

SETTLE_SECONDS = 30
UNIT = "layered-announce"
_SERVICE = "service/FRONTEND"


def every_balancer(world: World) -> str:
    """Requests reach each balancer that announces the service, and none that has left."""
    if not world.stack.balancers.reach.vips:
        return "one balancer at a time: nobody announces"
    names = world.role("balancer")
    _led(world, set(names))
    shared = _taken(world)
    for name, count in shared.items():
        promise(count > 0, f"{name} is announced, and was led no request: {shared}")
    with _away(world, names[-1]):
        _led(world, set(names[:-1]))
        without = _taken(world)
        promise(without[names[-1]] == 0, f"{names[-1]} has left, and was led requests: {without}")
    _led(world, set(names))
    told = ", ".join(f"{name} {count}" for name, count in shared.items())
    return f"{told} requests; none without {names[-1]}"


@contextmanager
def _away(world: World, name: str) -> Iterator[None]:
    world.text(name, ["systemctl", "stop", UNIT])
    try:
        yield
    finally:
        world.text(name, ["systemctl", "start", UNIT])


def _led(world: World, wanted: set[str]) -> None:
    """Every router leads requests to these balancers alone."""
    by_address = {str(world.machines[name].lan): name for name in world.role("balancer")}

    def settled() -> bool:
        for router in world.role("router"):
            for vip in world.stack.balancers.reach.vips:
                argv = ["ip", "-json", "route", "show", f"{vip}/32"]
                routes = json.loads(world.text(router, argv, seconds=15) or "[]")
                hops = [hop for each in routes for hop in (each, *each.get("nexthops", []))]
                seen = {by_address.get(hop["gateway"]) for hop in hops if "gateway" in hop}
                promise(seen == wanted, f"{router} leads {vip} to {seen}, not to {wanted}")
        return True

    until(settled, SETTLE_SECONDS, "the routers do not lead requests where they must")


def _taken(world: World) -> dict[str, int]:
    """How many connections of visitors each balancer takes while the whole chain is tried."""
    names = world.role("balancer")
    before = {name: haproxy_sessions(world, name)[_SERVICE] for name in names}
    through_the_chain(world)
    return {name: haproxy_sessions(world, name)[_SERVICE] - before[name] for name in names}

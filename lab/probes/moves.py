"""VRRP moved on purpose: every promise must hold from the other machine of the pair too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.probes.edge import one_owner_each, owners, through_the_chain
from lab.probes.result import promise, until
from lab.probes.world import World

SETTLE_SECONDS = 30


@contextmanager
def stepped_aside(world: World, machine: str, vips: list[str]) -> Iterator[str]:
    """`machine` without keepalived: yields the peer that holds `vips`, and gives them back."""
    world.text(machine, ["systemctl", "stop", "keepalived"])
    try:

        def taken() -> str | None:
            seen = owners(world)
            holders = {name for vip in vips for name in seen[vip]}
            return holders.pop() if len(holders) == 1 and machine not in holders else None

        yield until(taken, SETTLE_SECONDS, f"nobody took {', '.join(vips)} from {machine}")
    finally:
        world.text(machine, ["systemctl", "start", "keepalived"])


def _moved(world: World, machine: str, vips: list[str], preempt: bool) -> str:
    before = owners(world)
    holders = {name for vip in vips for name in before[vip]}
    promise(len(holders) == 1, f"{', '.join(vips)} are on {', '.join(holders) or 'no machine'}")
    owner = holders.pop()
    with stepped_aside(world, owner, vips) as peer:
        through = through_the_chain(world)
    one_owner_each(world)
    if preempt:
        until(
            lambda: all(owners(world)[vip] == [machine] for vip in vips),
            SETTLE_SECONDS,
            f"{machine} did not take its VIPs back",
        )
        through_the_chain(world, 5)
    return f"{owner} to {peer}: {through}"


def router(world: World) -> str:
    """The whole chain with the VIPs on the other router, and again after they moved back."""
    if len(world.stack.routers.machines) == 1:
        return "one router: nothing to move to"
    said = []
    for group in world.stack.routers.vips:
        vips = [str(address) for address in (*group.wan, *group.lan)]
        said.append(_moved(world, group.owner, vips, world.stack.routers.vrrp.preempt))
    return "; ".join(said)


def balancer(world: World) -> str:
    """The whole chain with the VIPs on the other balancer, and again after they moved back."""
    if len(world.stack.balancers.machines) == 1:
        return "one balancer: nothing to move to"
    said = []
    for group in world.stack.balancers.vips:
        vips = [str(address) for address in (*group.lan, *group.management)]
        said.append(_moved(world, group.owner, vips, world.stack.balancers.vrrp.preempt))
    return "; ".join(said)

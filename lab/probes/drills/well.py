"""The state that every drill begins with and must come back to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from lab.probes.edge import owners, through_the_chain
from lab.probes.inside import cluster_ready, servers
from lab.probes.result import promise, until
from lab.probes.world import World
from ops.checks import haproxy
from ops.checks.vips import balancer_groups, misplaced, router_groups

SECONDS = 240.0
"""The longest wait: a control plane's machine boots, and etcd, the API and all its pods with it."""


def well(world: World) -> None:
    """Wait until every VIP is where it was configured to be, every node Ready, every server of
    every balancer up, and every node answers through the whole chain.

    Raises:
        Broken: it did not come to that within `SECONDS`; with what is lacking.
    """
    until(lambda: _well(world), SECONDS, "all is not well")


def _well(world: World) -> bool:
    looks = (at_home, servers_up, cluster_ready)
    with ThreadPoolExecutor(len(looks)) as pool:
        for look in [pool.submit(look, world) for look in looks]:
            look.result()
    through_the_chain(world)
    return True


def at_home(world: World) -> None:
    """Every VIP is on one machine; where owners take their VIPs back, on its owner.

    Raises:
        Broken: one is not.
    """
    wrong = misplaced([*router_groups(world.stack), *balancer_groups(world.stack)], owners(world))
    promise(not wrong, "; ".join(wrong))


def servers_up(world: World) -> None:
    """Every balancer sees every server up.

    Raises:
        Broken: it does not.
    """
    for balancer in world.role("balancer"):
        down = [
            f"{row['pxname']}/{row['svname']} {row['status']}"
            for row in haproxy.down(servers(world, balancer))
        ]
        promise(not down, f"{balancer}: {', '.join(down)}")

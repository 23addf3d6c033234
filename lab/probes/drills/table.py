"""Every drill, in the order in which they run. A new one is a function and a row."""

from __future__ import annotations

from lab.probes.drills import daemons, legs, power, rollouts, victims
from lab.probes.drills.drill import LONG_WINDOW, Drill, Goal

POWER = Goal(gap=1.2)
LEG = Goal(gap=1.5)
WORKER_LEG = Goal(lost=0.01)
KILLED = Goal(gap=0.3)
FROZEN = Goal(gap=1.5)
NONE_LOST = Goal(lost=0)

_ROWS = (
    Drill(
        name="router power",
        goal=POWER,
        promised=True,
        victim=victims.router,
        breaks=power.off,
        mends=power.on,
    ),
    Drill(
        name="router WAN dead, link up",
        goal=LEG,
        promised=False,
        victim=victims.router,
        breaks=legs.dead("wan"),
        mends=legs.back("wan"),
    ),
    Drill(
        name="router LAN dead, link up",
        goal=LEG,
        promised=False,
        victim=victims.router,
        breaks=legs.dead("lan"),
        mends=legs.back("lan"),
    ),
    Drill(
        name="balancer power",
        goal=POWER,
        promised=True,
        victim=victims.balancer,
        breaks=power.off,
        mends=power.on,
    ),
    Drill(
        name="balancer LAN dead, link up",
        goal=LEG,
        promised=False,
        victim=victims.balancer,
        breaks=legs.dead("lan"),
        mends=legs.back("lan"),
    ),
    Drill(
        name="HAProxy killed",
        goal=KILLED,
        promised=False,
        victim=victims.balancer,
        breaks=daemons.signal("haproxy", "KILL"),
        mends=daemons.mended("haproxy"),
    ),
    Drill(
        name="HAProxy killed, kept from returning",
        goal=FROZEN,
        promised=False,
        victim=victims.balancer,
        breaks=daemons.killed_for_good("haproxy"),
        mends=daemons.mended("haproxy"),
    ),
    Drill(
        name="HAProxy frozen",
        goal=FROZEN,
        promised=False,
        victim=victims.balancer,
        breaks=daemons.signal("haproxy", "STOP"),
        mends=daemons.mended("haproxy"),
    ),
    Drill(
        name="keepalived killed on a router",
        goal=POWER,
        promised=False,
        victim=victims.router,
        breaks=daemons.signal("keepalived", "KILL"),
        mends=daemons.mended("keepalived"),
    ),
    Drill(
        name="keepalived killed on a balancer",
        goal=POWER,
        promised=False,
        victim=victims.balancer,
        breaks=daemons.signal("keepalived", "KILL"),
        mends=daemons.mended("keepalived"),
    ),
    Drill(
        name="worker power",
        goal=POWER,
        promised=False,
        victim=victims.worker,
        breaks=power.off,
        mends=power.on,
        window=LONG_WINDOW,
    ),
    Drill(
        name="worker LAN carrier away 2 s",
        goal=WORKER_LEG,
        promised=False,
        victim=victims.worker,
        breaks=legs.away("lan"),
        mends=legs.back("lan"),
        window=LONG_WINDOW - legs.AWAY_SECONDS,
    ),
    Drill(
        name="MetalLB's announcer power",
        goal=POWER,
        promised=False,
        victim=victims.announcer,
        breaks=power.off,
        mends=power.on,
        window=LONG_WINDOW,
        target=victims.lan_to_ingress,
    ),
    Drill(
        name="ingress pods replaced",
        goal=NONE_LOST,
        promised=False,
        victim=victims.everybody,
        breaks=rollouts.ingress,
    ),
    Drill(
        name="CNI agents replaced",
        goal=NONE_LOST,
        promised=False,
        victim=victims.everybody,
        breaks=rollouts.pods_of("kube-system", "cilium"),
    ),
)

DRILLS: dict[str, Drill] = {each.name: each for each in _ROWS}

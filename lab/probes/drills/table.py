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
        promised=True,
        victim=victims.router,
        breaks=legs.dead("wan"),
        mends=legs.back("wan"),
    ),
    Drill(
        name="router LAN dead, link up",
        goal=LEG,
        promised=True,
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
        promised=True,
        victim=victims.balancer,
        breaks=legs.dead("lan"),
        mends=legs.back("lan"),
    ),
    Drill(
        name="HAProxy killed",
        goal=KILLED,
        promised=True,
        victim=victims.balancer,
        breaks=daemons.signal("haproxy", "KILL"),
        mends=daemons.mended("haproxy"),
    ),
    Drill(
        name="HAProxy killed, kept from returning",
        goal=FROZEN,
        promised=True,
        victim=victims.balancer,
        breaks=daemons.killed_for_good("haproxy"),
        mends=daemons.mended("haproxy"),
    ),
    Drill(
        name="HAProxy frozen",
        goal=FROZEN,
        promised=True,
        victim=victims.balancer,
        breaks=daemons.signal("haproxy", "STOP"),
        mends=daemons.mended("haproxy"),
    ),
    Drill(
        name="keepalived killed on a router",
        goal=POWER,
        promised=True,
        victim=victims.router,
        breaks=daemons.signal("keepalived", "KILL"),
        mends=daemons.mended("keepalived"),
    ),
    Drill(
        name="keepalived killed on a balancer",
        goal=POWER,
        promised=True,
        victim=victims.balancer,
        breaks=daemons.signal("keepalived", "KILL"),
        mends=daemons.mended("keepalived"),
    ),
    Drill(
        name="control plane power",
        goal=POWER,
        physics=(
            "what is measured is the service, of which a control plane that takes pods is a part "
            "as a worker is; that the others serve the API within 30 s is asked besides, and fails "
            "the drill"
        ),
        promised=False,
        victim=victims.control_plane,
        breaks=power.off_and_the_api_answers,
        mends=power.on,
        window=LONG_WINDOW,
    ),
    Drill(
        name="worker power",
        goal=POWER,
        physics=(
            "a balancer asks each node every second, waits at most 1 s, and believes the second "
            "refusal 0.3 s later: 3.3 s at the most until the node gets no more. A request sent "
            "there before has 2 s to be connected and then goes to another node; one already "
            "under way on a kept connection is lost. The dead node's pods stay endpoints for 50 s "
            "(kube-controller-manager, --node-monitor-grace-period): the ingress gives each "
            "connection 1 s and tries the next pod. The gap is short since two nodes of three "
            "answer all the time; look at the losses and the slowest answers"
        ),
        promised=True,
        victim=victims.worker,
        breaks=power.off,
        mends=power.on,
        window=LONG_WINDOW,
    ),
    Drill(
        name="worker LAN carrier away 2 s",
        goal=WORKER_LEG,
        promised=True,
        victim=victims.worker,
        breaks=legs.away("lan"),
        mends=legs.back("lan"),
        window=LONG_WINDOW - legs.AWAY_SECONDS,
    ),
    Drill(
        name="ingress pods replaced",
        goal=NONE_LOST,
        promised=True,
        victim=victims.everybody,
        breaks=rollouts.ingress,
    ),
    Drill(
        name="CNI agents replaced",
        goal=NONE_LOST,
        promised=True,
        victim=victims.everybody,
        breaks=rollouts.pods_of("kube-system", "cilium"),
    ),
    # The last one: connections whose client is lost half way stay open at the ingress, and a pod
    # of it that is told to leave waits for them as long as it may (`FINISH_SECONDS`).
    Drill(
        name="MetalLB's announcer power",
        goal=POWER,
        physics=(
            "the speakers miss a node by gossip (memberlist, its defaults for a LAN, which MetalLB "
            "does not let one set): a probe a second, 1 to 3 s until one fails, then 4 s of "
            "suspicion, so 5 to 7 s with three nodes. The goal is out of reach with addresses by "
            "ARP; the service's own way, over NodePorts, does not pass here"
        ),
        promised=False,
        victim=victims.announcer,
        breaks=power.off,
        mends=power.on,
        window=LONG_WINDOW,
        target=victims.lan_to_ingress,
    ),
)

DRILLS: dict[str, Drill] = {each.name: each for each in _ROWS}

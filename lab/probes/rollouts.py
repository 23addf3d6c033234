"""Parts of the data path renewed while clients hold on: no request and no stream may be lost.

The load comes from outside, through the whole chain: requests at a steady rate, every other one on
a connection of its own and the rest on kept ones, beside streams that last longer than a rollout of
one node. A rollout is what an operator does: `kubectl rollout restart`, awaited.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.platform.ingress import CONTROLLERS
from components.platform.ingress.placement import PATIENCE_SECONDS
from lab.probes.edge import authority, demo, public_doors
from lab.probes.result import Probe, promise
from lab.probes.world import World, script

RATE = 200
"""Requests a second."""
STREAMS = 50
STREAM_SECONDS = 60
ROLLOUT_SECONDS = PATIENCE_SECONDS + 120
"""At most, until every new pod is ready and the old ones are gone: a DaemonSet counts a node by the
oldest pod on it, one that is leaving too."""
SILENCE = 15
"""Seconds without a byte that a stream bears; the service sends one every half second."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What clients saw of a load. `slow` requests took over a second; `slowest` and `outage` (the
    longest time without a good answer) are seconds."""

    sent: int
    lost: int
    slow: int
    slowest: float
    outage: float
    streams: int
    streams_lost: int
    errors: dict[str, int]

    def __str__(self) -> str:
        errors = ", ".join(f"{count}x {what}" for what, count in sorted(self.errors.items()))
        return (
            f"{self.lost} of {self.sent} requests and {self.streams_lost} of {self.streams} "
            f"streams lost ({errors or 'no error'}); {self.slow} took over a second, the slowest "
            f"{self.slowest:.2f} s; longest without an answer {self.outage:.2f} s"
        )


def loaded(
    world: World,
    breaking: Callable[[], object],
    *,
    rate: int = RATE,
    streams: int = STREAMS,
    stream_seconds: int = STREAM_SECONDS,
    longest: float = 600,
) -> Seen:
    """What the load saw while `breaking` ran; the streams are read to their end after it.

    Args:
        world: the running lab.
        breaking: is called once every stream has begun.
        rate: requests a second.
        streams: held at once.
        stream_seconds: how long each takes.
        longest: seconds after which the load ends by itself.

    Raises:
        Broken: the load could not begin.
    """
    spec: dict[str, Any] = {
        "address": public_doors(world)[0],
        "host": demo(world).host,
        "port": 80,
        "tls_port": 443,
        "ca": authority(world),
        "path": "/",
        "stream_path": f"/stream?seconds={stream_seconds}",
        "rate": rate,
        "streams": streams,
        "timeout": 10,
        "silence": SILENCE,
        "longest": longest,
    }
    load = subprocess.Popen(
        world.argv("client", ["python3", "-c", script("load"), json.dumps(spec)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert load.stdout is not None
    try:
        promise(load.stdout.readline() == "ready\n", "the load did not begin")
        breaking()
        out, _ = load.communicate(timeout=stream_seconds + 60)
    finally:
        load.kill()
        load.wait()
    return Seen(**json.loads(out))


def replaced(world: World, namespace: str, workload: str, seconds: int = ROLLOUT_SECONDS) -> None:
    """Every pod of a workload (`daemonset/NAME`) is replaced, as an upgrade does, and awaited for
    `seconds` at most."""
    words = ["--namespace", namespace, workload]
    world.kubectl("rollout", "restart", *words)
    world.kubectl("rollout", "status", f"--timeout={seconds}s", *words, seconds=seconds + 30)


def renewed(world: World, namespace: str, workload: str) -> str:
    """The same under load."""
    seen = loaded(world, lambda: replaced(world, namespace, workload))
    promise(not seen.lost and not seen.streams_lost, f"{workload} renewed: {seen}")
    return f"{workload} renewed: {seen}"


def ingress_pods(world: World) -> tuple[str, str]:
    """Namespace and workload of the ingress controller's pods."""
    ingress = world.stack.platform.ingress
    controller = CONTROLLERS[ingress.kind]
    return controller.namespace, controller.pods(ingress)


def ingress(world: World) -> str:
    """The ingress controller's pods."""
    return renewed(world, *ingress_pods(world))


def network(world: World) -> str:
    """The agents of the pod network."""
    return renewed(world, "kube-system", "daemonset/cilium")


def announcers(world: World) -> str:
    """MetalLB's speakers."""
    return renewed(world, "metallb-system", "daemonset/metallb-speaker")


def names(world: World) -> str:
    """The cluster's resolvers."""
    return renewed(world, "kube-system", "deployment/coredns")


def service(world: World) -> str:
    """The demonstration's own pods."""
    kind = "daemonset" if demo(world).every_node else "deployment"
    return renewed(world, "echo", f"{kind}/echo")


ROLLOUTS: dict[str, Probe] = {
    "ingress pods replaced": ingress,
    "CNI agents replaced": network,
    "announcers replaced": announcers,
    "resolvers replaced": names,
    "service's pods replaced": service,
}

"""Failure drills: break something for real while requests flow, and measure how long it is felt.

Each drill says what it did, how many requests of the stream failed, and the longest time without a
good answer. The limit it must stay under follows from the stack's own VRRP timers.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

from lab.hypervisor.hypervisor import Hypervisor
from lab.probes.edge import one_owner_each, owners, through_the_chain
from lab.probes.result import Probe, promise, until
from lab.probes.world import World, script
from settings.models import Vrrp

INTERVAL = 0.05
REQUEST_TIMEOUT = 2.0
RETRANSMIT = 3.0
"""Seconds of slack for a TCP connection in its first retransmissions (1 s, then 2 s; RFC 6298)."""


def limit(vrrp: Vrrp) -> float:
    """Seconds a failover may be felt: three adverts and the skew, and TCP's own patience."""
    return 4 * vrrp.advert_interval + RETRANSMIT


def measured(world: World, duration: float, breaking: Callable[[], None]) -> tuple[float, str]:
    """The longest outage in seconds, and a sentence about the stream, while `breaking` runs."""
    demo = world.stack.platform.demo
    assert demo is not None
    spec = {
        "address": str(world.stack.routers.vips[0].wan[0]),
        "port": 80,
        "host": demo.host,
        "path": "/",
        "interval": INTERVAL,
        "duration": duration,
        "timeout": REQUEST_TIMEOUT,
    }
    stream = subprocess.Popen(
        world.argv("client", ["python3", "-c", script("stream"), json.dumps(spec)]),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        breaking()
        out, _ = stream.communicate(timeout=duration + 30)
    finally:
        stream.kill()
        stream.wait()
    seen = json.loads(out)
    errors = ", ".join(f"{count}x {what}" for what, count in seen["errors"].items()) or "none"
    return seen["outage"], (
        f"longest {seen['outage']:.2f} s without an answer, {seen['failed']} of {seen['sent']} "
        f"requests failed ({errors})"
    )


def _machine_lost(world: World, machine: str, vrrp: Vrrp) -> str:
    """The machine's plug is pulled, requests go on; then it comes back."""
    outage, said = measured(world, 12, lambda: Hypervisor().power_off(machine))
    try:
        promise(outage <= limit(vrrp), f"{said}; at most {limit(vrrp):.1f} s were promised")
    finally:
        Hypervisor().power_on(machine)
    until(lambda: world.addresses(machine), 90, f"{machine} does not come back")
    until(lambda: one_owner_each(world), 60, "the VIPs do not settle")
    through_the_chain(world, 5)
    return f"{machine} powered off: {said}"


def router_lost(world: World) -> str:
    """The router that owns the public VIP loses power."""
    if len(world.stack.routers.machines) == 1:
        return "one router: its loss is an outage"
    vip = str(world.stack.routers.vips[0].wan[0])
    return _machine_lost(world, owners(world)[vip][0], world.stack.routers.vrrp)


def balancer_lost(world: World) -> str:
    """The balancer that owns the VIP loses power."""
    if len(world.stack.balancers.machines) == 1:
        return "one balancer: its loss is an outage"
    vip = str(world.stack.balancers.vips[0].lan[0])
    return _machine_lost(world, owners(world)[vip][0], world.stack.balancers.vrrp)


def haproxy_killed(world: World) -> str:
    """HAProxy dies on the owner: the VIP must leave with it, and return with it."""
    if len(world.stack.balancers.machines) == 1:
        return "one balancer: there is no other HAProxy"
    vip = str(world.stack.balancers.vips[0].lan[0])
    owner = owners(world)[vip][0]
    vrrp = world.stack.balancers.vrrp
    kill = ["systemctl", "kill", "--kill-who=all", "--signal=SIGKILL", "haproxy"]

    def breaking() -> None:
        world.text(owner, ["systemctl", "mask", "--runtime", "haproxy"])
        world.text(owner, kill)
        until(lambda: owner not in owners(world)[vip], 20, f"the VIP stays on {owner}")

    try:
        outage, said = measured(world, 10, breaking)
    finally:
        world.text(owner, ["systemctl", "unmask", "--runtime", "haproxy"])
        world.text(owner, ["systemctl", "restart", "haproxy"])
    promise(outage <= limit(vrrp), f"{said}; at most {limit(vrrp):.1f} s were promised")
    until(lambda: one_owner_each(world), 60, "the VIPs do not settle")
    return f"haproxy killed on {owner}: {said}"


DRILLS: dict[str, Probe] = {
    "router loses power": router_lost,
    "balancer loses power": balancer_lost,
    "haproxy is killed": haproxy_killed,
}

"""IPv6 beside everything that the routers' world has, for tests of a visitor's way."""

from __future__ import annotations

import sys

from tests.components import router_world
from tests.components.world import World

PUBLIC6, GATEWAY6, BALANCERS6 = "2001:db8:0:1::10", "fd00:10::1", "fd00:10::10"
CLIENT6, STRANGER6 = "2001:db8:c::10", "2001:db8:d::66"
ROUTERS = ("router-a", "router-b")

ECHO = router_world.ECHO.replace('(("0.0.0.0"', '(("::"').replace(
    "int(sys.argv[1])))", "int(sys.argv[1])), family=socket.AF_INET6)"
)


def add(world: World) -> None:
    """IPv6 beside everything that `build` has made."""
    for space, interface, address in (
        ("isp", "eth0", "2001:db8:0:1::1/64"),
        ("isp", "eth1", "2001:db8:c::1/64"),
        ("isp", "eth2", "2001:db8:d::1/64"),
        ("client", "eth0", f"{CLIENT6}/64"),
        ("stranger", "eth0", f"{STRANGER6}/64"),
        ("balancer", "eth0", "fd00:10::11/64"),
        ("balancer", "eth0", f"{BALANCERS6}/128"),
    ):
        world.ip(space, "addr", "add", address, "dev", interface, "nodad")
    for last, name in enumerate(ROUTERS, start=2):
        # Looked for on the segment first, as networkd has it.
        world.ip(name, "addr", "add", f"fd00:10::{last}/64", "dev", "eth1")
        world.ip(name, "addr", "add", f"2001:db8:0:1::{last}/64", "dev", "eth2")
        world.ip(name, "-6", "route", "add", "default", "via", "2001:db8:0:1::1")
    world.run("isp", ["sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"])
    # As if somebody outside knew the way inside.
    world.ip("isp", "-6", "route", "add", "fd00:10::/64", "via", "2001:db8:0:1::2")
    for name, gateway in (
        ("client", "2001:db8:c::1"),
        ("stranger", "2001:db8:d::1"),
        ("balancer", GATEWAY6),
    ):
        world.ip(name, "-6", "route", "add", "default", "via", gateway)
    for space, port in (
        ("balancer", 8443),
        ("stranger", 9006),
        *((name, 9006) for name in ROUTERS),
    ):
        serve(world, space, port)


def serve(world: World, space: str, port: int) -> None:
    process = world.start(space, [sys.executable, "-c", ECHO, str(port)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

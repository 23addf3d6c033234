"""Two routers that speak BGP with a provider and with two nodes, by each daemon a router may run;
FRR at the other ends.

One world a daemon for all tests, in the order written.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.host.bgp import Peering
from components.host.speakers import figures
from components.routers.linux import bird, frr
from settings.models import Stack
from tests.components import rendered, stacks
from tests.components.router_world import (
    ask,
    build,
    inside,
    owner,
    start_router,
    unsealed,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
ROUTERS = ("router-a", "router-b")
SERVICE = "198.18.60.1"
"""An address of the pool, which both nodes serve."""

NAME = """
import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=64)
print("ready", flush=True)
while True:
    c, peer = s.accept()
    c.sendall((sys.argv[2] + " " + peer[0] + "\\n").encode())
    c.close()
"""
"""Answers each connection with its own name and the address it sees."""


@dataclass(frozen=True)
class Daemon:
    """What a router runs: its process, whose routes the kernel calls so, and how it is spoken to.

    `drained` is a text of its configuration, and another in its place that asks neighbours to
    prefer other ways.
    """

    comm: str
    routes: str
    config: str
    drained: tuple[str, str]
    reload: str
    drain: str
    stop: str


BY_NAME = {
    "frr": Daemon(
        comm="bgpd",
        routes="bgp",
        config=frr.CONFIG,
        drained=(" no bgp default", " bgp graceful-shutdown\n no bgp default"),
        reload="/usr/lib/frr/frrinit.sh reload",
        drain=frr.DRAIN,
        stop="/usr/lib/frr/frrinit.sh stop",
    ),
    "bird": Daemon(
        comm="bird",
        routes="bird",
        config=bird.CONFIG,
        drained=("DRAINED = false", "DRAINED = true"),
        reload="birdc configure",
        drain=bird.DRAIN,
        stop="birdc down",
    ),
}


def stack(name: str) -> Stack:
    return stacks.bgp() if name == "frr" else stacks.bird()


SPEAKER = """\
frr defaults traditional
hostname {name}
service integrated-vtysh-config
no ipv6 forwarding
bfd
 profile layered
  detect-multiplier {peering.bfd.multiplier}
  receive-interval {peering.bfd.interval}
  transmit-interval {peering.bfd.interval}
 exit
exit
router bgp {asn}
 bgp router-id {address}
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
{neighbours}
 address-family ipv4 unicast
{routes}
{activated}
 exit-address-family
exit
"""
DAEMONS = """\
bgpd=yes
bfdd=yes
vtysh_enable=yes
zebra_options="-A 127.0.0.1 -P 0"
bgpd_options="-A 127.0.0.1 -P 0"
bfdd_options="-A 127.0.0.1 -P 0"
"""
START = """
install -d -o frr -g frr /run/frr
/usr/lib/frr/frrinit.sh start
sleep infinity &
wait
"""


def sessions() -> Peering:
    made = rendered.sessions(stacks.bgp())
    assert made is not None
    return made


def start_speaker(world: World, space: str, group: str, address: str, routes: list[str]) -> None:
    """The other end of every session of a neighbour, told the networks `routes`."""
    peering = sessions()
    of = next(each for each in peering.neighbours if each.name == group)
    neighbours = []
    for router in peering.routers[of.network]:
        neighbours += [
            f" neighbor {router.address} remote-as {router.asn}",
            f" neighbor {router.address} bfd",
            f" neighbor {router.address} bfd profile layered",
            f" neighbor {router.address} password @@bgp-{of.secret}@@",
            f" neighbor {router.address} timers {peering.keepalive} {peering.hold}",
            f" neighbor {router.address} timers connect 1",
        ]
    text = SPEAKER.format(
        name=space,
        peering=peering,
        asn=of.asn,
        address=address,
        neighbours="\n".join(neighbours),
        routes="\n".join(f"  network {each}" for each in routes),
        activated="\n".join(
            f"  neighbor {each.address} activate" for each in peering.routers[of.network]
        ),
    )
    files = {frr.CONFIG: unsealed(text), frr.DAEMONS: DAEMONS}
    world.daemons(space, files, START, {})


@dataclass(frozen=True)
class Net:
    """The world, and what its routers run."""

    world: World
    daemon: Daemon

    def run(self, router: str, script: str, given: str = "") -> str:
        """A script beside a router's daemon; what it printed."""
        argv = ["/bin/sh", "-c", f"PATH=$PATH:/usr/sbin; {script}"]
        done = inside(self.world, router, self.daemon.comm, argv, given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module", params=sorted(BY_NAME, reverse=True))
def net(request: pytest.FixtureRequest) -> Iterator[Net]:
    daemon = BY_NAME[request.param]
    with World() as world:
        build(world)
        world.space("node-2")
        world.plug("node-2", "eth0", "lan", "198.18.10.32/24")
        world.ip("node-2", "route", "add", "default", "via", "198.18.10.1")
        for space in ("node", "node-2"):
            world.ip(space, "addr", "add", f"{SERVICE}/32", "dev", "lo")
            process = world.start(space, [sys.executable, "-c", NAME, "80", space])
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        made = Net(world, daemon)
        for name in ROUTERS:
            start_router(world, name, stack(request.param))
        start_speaker(world, "node", "inside", "198.18.10.31", [f"{SERVICE}/32"])
        start_speaker(
            *(world, "node-2", "inside", "198.18.10.32"),
            [f"{SERVICE}/32", "198.18.60.0/25", "198.18.61.1/32", "0.0.0.0/0"],
        )
        start_speaker(
            *(world, "isp", "provider", "203.0.113.1"),
            ["192.0.2.0/24", "198.51.100.128/25", "198.18.10.128/25", "0.0.0.0/0"],
        )
        until(lambda: owner(world) == "router-a", "router-a owns the addresses", 60)
        for name in ROUTERS:
            until(lambda name=name: ways(made, name) == BOTH, f"{name} has both ways", 60)
        yield made


BOTH = ["198.18.10.31", "198.18.10.32"]


def learned(world: World, space: str, protocol: str) -> dict[str, list[str]]:
    """A daemon's routes in a space's kernel: network to gateways."""
    routes = json.loads(world.ip(space, "-json", "route", "show", "proto", protocol) or "[]")
    return {
        each["dst"]: sorted(
            [each["gateway"]]
            if "gateway" in each
            else [hop["gateway"] for hop in each.get("nexthops", [])]
        )
        for each in routes
        if each.get("type") != "blackhole"
    }


def ways(net: Net, router: str) -> list[str]:
    return learned(net.world, router, net.daemon.routes).get(SERVICE, [])


def said(world: World, space: str, command: str) -> str:
    return inside(world, space, "bgpd", ["/usr/bin/vtysh", "-c", command]).stdout


def test_both_routers_learn_the_pool_over_both_nodes_and_nothing_else(net: Net) -> None:
    wanted = {SERVICE: BOTH, "192.0.2.0/24": ["203.0.113.1"]}
    for name in ROUTERS:
        until(
            lambda name=name: learned(net.world, name, net.daemon.routes) == wanted,
            f"{name} knows the service and the provider's network",
        )


def test_the_provider_reaches_what_is_ours_by_the_address_that_moves(net: Net) -> None:
    until(
        lambda: learned(net.world, "isp", "bgp") == {"198.18.64.0/24": ["203.0.113.10"]},
        "the provider knows our network by the public VIP",
    )


def test_a_balancer_reaches_the_pool_over_both_nodes_with_its_own_address(net: Net) -> None:
    answers = {ask(net.world, "balancer", SERVICE, 80) for _ in range(24)}

    assert answers == {"node 198.18.10.11", "node-2 198.18.10.11"}


def test_what_is_told_of_the_sessions(net: Net) -> None:
    """By the program that is pushed, of the daemon as it is: cp-1 is nowhere."""
    daemon = next(name for name, each in BY_NAME.items() if each is net.daemon)
    asking = (
        "from bgpfigures.__main__ import DAEMONS, asked; from bgpfigures.session import text; "
        f"print(text('{daemon}', asked(DAEMONS['{daemon}'], bfd=True)))"
    )
    script = f'cd {Path(figures.PROGRAM).parent}; python3 -B -c "{asking}"'
    wanted = {
        f'answers{{daemon="{daemon}"}} 1',
        'session_up{peer="198.18.10.31", name="worker-1"} 1',
        'session_up{peer="198.18.10.21", name="cp-1"} 0',
        'session_prefixes_received{peer="198.18.10.31", name="worker-1"} 1',
        'session_prefixes_announced{peer="203.0.113.1", name="provider"} 1',
        'session_bfd_up{peer="198.18.10.31", name="worker-1"} 1',
        'session_bfd_up{peer="198.18.10.21", name="cp-1"} 0',
        'session_state{peer="203.0.113.1", name="provider", state="Established"} 1',
    }
    until(
        lambda: (
            {f"layered_cloud_bgp_{each}" for each in wanted}
            <= set(net.run("router-a", script).splitlines())
        ),
        "router-a tells of its sessions",
    )


def test_nobody_else_speaks_with_the_daemon(net: Net) -> None:
    assert ask(net.world, "stranger", "203.0.113.2", 179) == "TimeoutError"
    assert ask(net.world, "balancer", "198.18.10.2", 179) == "TimeoutError"


def test_a_node_that_is_cut_off_is_left_within_a_second_or_two(net: Net) -> None:
    net.world.cut("node-2", "eth0")
    began = time.monotonic()
    for name in ROUTERS:
        until(lambda name=name: ways(net, name) == BOTH[:1], f"{name} has left node-2", 3)
    print(f"a node cut off: its way went after {time.monotonic() - began:.2f} s")

    assert {ask(net.world, "balancer", SERVICE, 80) for _ in range(8)} == {"node 198.18.10.11"}
    net.world.mend("node-2", "eth0")
    for name in ROUTERS:
        until(lambda name=name: ways(net, name) == BOTH, f"{name} has both ways again", 30)


def test_a_reload_ends_no_session_and_leaves_forwarding_alone(net: Net) -> None:
    before = established(net.world)
    config = net.run("router-b", f"cat {net.daemon.config}")
    old, new = net.daemon.drained
    assert config.count(old) == 1
    changed = config.replace(old, new)
    net.run("router-b", f"cat >{net.daemon.config}; {net.daemon.reload}", changed)

    until(
        lambda: asked(net.world) == ["203.0.113.3"],
        "the provider is asked to prefer other ways than router-b",
    )
    assert established(net.world) == before
    assert net.run("router-b", "cat /proc/sys/net/ipv4/ip_forward") == "1\n"
    assert net.run("router-b", "cat /proc/sys/net/ipv6/conf/all/forwarding") == "0\n"


def asked(world: World) -> list[str]:
    """The routers by whose word the provider shall prefer other ways."""
    told = json.loads(said(world, "isp", "show bgp ipv4 unicast 198.18.64.0/24 json"))
    return sorted(
        path["peer"]["peerId"]
        for path in told.get("paths", [])
        if "gracefulShutdown" in json.dumps(path)
    )


def established(world: World) -> dict[str, int]:
    """How often each session of the provider came up."""
    told = json.loads(said(world, "isp", "show bgp neighbors json"))
    return {name: each["connectionsEstablished"] for name, each in told.items()}


def test_before_it_stops_a_router_asks_for_other_ways_and_then_its_sessions_end(
    net: Net,
) -> None:
    net.run("router-a", net.daemon.drain)
    until(
        lambda: asked(net.world) == ["203.0.113.2", "203.0.113.3"], "the provider is asked by both"
    )

    net.run("router-a", net.daemon.stop)

    until(lambda: asked(net.world) == ["203.0.113.3"], "router-a's way has gone", 3)


def test_a_speaker_that_stops_is_left_at_once(net: Net) -> None:
    began = time.monotonic()
    inside(net.world, "node-2", "bgpd", ["/usr/lib/frr/frrinit.sh", "stop"])

    until(lambda: ways(net, "router-b") == BOTH[:1], "router-b has left node-2", 5)
    print(f"a speaker stopped: its way went after {time.monotonic() - began:.2f} s")

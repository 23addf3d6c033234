"""A pair of routers between an internet and a LAN, in namespaces, for tests of what they do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from components.host.pair import watch
from components.host.pair.keepalived import CONFIG as KEEPALIVED
from components.routers.linux import bgp, bird, conntrackd, firewall, frr
from settings.models import Stack
from tests.components import distribution, rendered, stacks
from tests.components.world import World

ECHO = """
import socket, sys, threading
def talk(c, peer):
    c.sendall((peer[0] + "\\n").encode())
    while (data := c.recv(4096)):
        c.sendall(data)
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    c, peer = s.accept()
    threading.Thread(target=talk, args=(c, peer), daemon=True).start()
"""
"""Answers each connection with the address it sees, then with whatever it is sent."""

HOLD = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
s.settimeout(8)
f = s.makefile("rw")
f.readline()
print("open", flush=True)
for line in sys.stdin:
    f.write(line); f.flush()
    print(f.readline().strip(), flush=True)
"""
"""A connection that stays open and echoes lines: ADDRESS PORT."""
ASK = """
import socket, sys
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.5)
    print(s.makefile().readline().strip())
except OSError as error:
    print(type(error).__name__)
"""
DAEMONS = f"""
mkdir /run/{watch.RUNTIME}
/usr/sbin/nft -f {firewall.RULES}
/lib/systemd/systemd-sysctl {firewall.SYSCTL}
{firewall.GUARD_SCRIPT} once
{firewall.GUARD_SCRIPT} &
if [ -e {watch.CONFIG} ]; then
    (cd {Path(watch.PROGRAM).parent}; exec python3 -B -m legwatch {watch.CONFIG}) &
    until [ -e {watch.VERDICT} ]; do sleep 0.05; done
    /usr/sbin/conntrackd -C {conntrackd.CONFIG} &
fi
if [ -e {bgp.SYSCTL} ]; then
    /lib/systemd/systemd-sysctl {bgp.SYSCTL}
fi
if [ -e {bird.DRAIN} ]; then
    install -d -o bird -g bird /run/bird
    /usr/sbin/bird -u bird -g bird -c {bird.CONFIG}
fi
if [ -e {frr.DRAIN} ]; then
    install -d -o frr -g frr /run/frr
    /usr/lib/frr/frrinit.sh start
fi
exec /usr/sbin/keepalived -n -l -f {KEEPALIVED}
"""
PUBLIC, GATEWAY, BALANCERS = "203.0.113.10", "198.18.10.1", "198.18.10.10"
CLIENT, STRANGER = "198.51.100.10", "192.0.2.66"


def build(world: World) -> None:
    for bridge in ("mgmt", "lan", "wan", "sync", "cdn", "other"):
        world.bridge(bridge)
    world.space("isp")
    world.plug("isp", "eth0", "wan", "203.0.113.1/24")
    world.plug("isp", "eth1", "cdn", "198.51.100.1/24")
    world.plug("isp", "eth2", "other", "192.0.2.1/24")
    world.run("isp", ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    # As if somebody outside knew the way inside.
    world.ip("isp", "route", "add", "198.18.0.0/15", "via", "203.0.113.2")
    for name, bridge, address, gateway in (
        ("client", "cdn", f"{CLIENT}/24", "198.51.100.1"),
        ("stranger", "other", f"{STRANGER}/24", "192.0.2.1"),
        ("balancer", "lan", "198.18.10.11/24", GATEWAY),
        ("node", "lan", "198.18.10.31/24", GATEWAY),
        ("runner", "mgmt", "198.18.0.5/24", ""),
    ):
        world.space(name)
        world.plug(name, "eth0", bridge, address)
        if gateway:
            world.ip(name, "route", "add", "default", "via", gateway)
    world.ip("balancer", "addr", "add", f"{BALANCERS}/32", "dev", "eth0")
    for name, last in (("router-a", 2), ("router-b", 3)):
        plug_router(world, name, last)
        serve(world, name, 22)
        serve(world, name, 9000)
    serve(world, "balancer", 80)
    serve(world, "balancer", 8080)
    serve(world, "stranger", 9000)


def plug_router(world: World, name: str, last: int) -> None:
    """A router's machine with its four legs, on bridges of these names."""
    world.space(name)
    world.plug(name, "eth0", "mgmt", f"198.18.0.{last + 9}/24")
    world.plug(name, "eth1", "lan", f"198.18.10.{last}/24")
    world.plug(name, "eth2", "wan", f"203.0.113.{last}/24")
    world.plug(name, "eth3", "sync", f"198.18.20.{last}/24")
    world.ip(name, "route", "add", "default", "via", "203.0.113.1")


def serve(world: World, space: str, port: int) -> None:
    process = world.start(space, [sys.executable, "-c", ECHO, str(port)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"


def start_router(world: World, name: str, stack: Stack | None = None) -> None:
    stack = stack or stacks.lab()
    modes = rendered.executable(rendered.router_whole(stack, name))
    files = rendered.router_files(stack, name)
    world.daemons(name, {path: unsealed(text) for path, text in files.items()}, DAEMONS, modes)


def unsealed(text: str) -> str:
    """A text whose placeholders of passwords are filled in, as the machine does it."""
    return re.sub(r"@@bgp-([a-z-]+)@@", r"\1.secret", text)


def owners(world: World, address: str, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if f"inet {address}/" in world.ip(name, "-4", "addr", "show")]


def owner(world: World, names: tuple[str, ...] = ("router-a", "router-b")) -> str:
    """Who alone has both the public VIP and the gateway; what is wrong in other words."""
    public, gateway = owners(world, PUBLIC, names), owners(world, GATEWAY, names)
    return public[0] if public == gateway and len(public) == 1 else f"{public} {gateway}"


def ask(world: World, space: str, address: str, port: int) -> str:
    return world.python(space, ASK, address, str(port))


def nft() -> list[str]:
    return ["chroot", str(distribution.tree()), "/usr/sbin/nft"]


def counted(world: World, name: str) -> int:
    """Packets of a named counter on the router that owns the addresses."""
    argv = [*nft(), "-j", "list", "counter", "inet", "layered", name]
    said = json.loads(world.run(owner(world), argv).stdout)["nftables"]
    return next(int(each["counter"]["packets"]) for each in said if "counter" in each)


def hold(world: World, space: str, address: str, port: int) -> subprocess.Popen[bytes]:
    """A connection that stays open, which `echoes` tries."""
    process = world.start(space, [sys.executable, "-c", HOLD, address, str(port)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    return process


def echoes(process: subprocess.Popen[bytes], word: bytes) -> bool:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(word + b"\n")
    process.stdin.flush()
    return process.stdout.readline() == word + b"\n"


def processes(world: World, space: str, comm: str) -> list[int]:
    """The processes of a router's daemon."""
    pids = subprocess.run(
        ["ip", "netns", "pids", world.prefix + space], capture_output=True, text=True, check=True
    ).stdout.split()
    found = [int(pid) for pid in pids if _command_of(pid) == comm]
    assert found, f"no {comm} in {space}: {world.log(space).read_text()}"
    return sorted(found)


def inside(
    world: World, space: str, comm: str, argv: Sequence[str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    """A program of the Debian tree, beside the daemon `comm` of a space; `given` on its stdin."""
    beside = ["nsenter", "-t", str(processes(world, space, comm)[0]), "-m", "-n", "-p", "-r", "-w"]
    return subprocess.run(
        [*beside, *argv],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def _command_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # ended since it was listed


def replicated(world: World) -> int:
    """Established connections that router-b holds for its peer."""
    (pid,) = processes(world, "router-b", "conntrackd")
    said = subprocess.run(
        [
            *("nsenter", "--mount", "--net", "--pid", f"--target={pid}", "--root"),
            *("/usr/sbin/conntrackd", "-C", conntrackd.CONFIG, "-e"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.count("ESTABLISHED")

"""The state of every layer, at a glance: quick, and without touching anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from lab import datacentre
from lab.hypervisor.hypervisor import Hypervisor
from lab.network import Network, Topology
from lab.probes import edge, inside
from lab.probes.result import Result, promise


def layers() -> Iterator[Result]:
    """Network, depot, hosts, machines, then what the stack built."""
    yield _row("networks", _networks)
    yield _row("depot and Cloudflare", _services)
    yield _row("Proxmox hosts and machines", _machines)
    world = datacentre.world()
    yield _row("VIPs", lambda: edge.one_owner_each(world))
    yield _row("cluster", lambda: inside.cluster_ready(world))
    yield _row("service", lambda: edge.through_the_chain(world, 1))


def _row(name: str, look: Callable[[], str]) -> Result:
    started = time.monotonic()
    try:
        ok, detail = True, look()
    except Exception as problem:
        ok, detail = False, str(problem)
    return Result(name, ok, round(time.monotonic() - started, 3), detail)


def _networks() -> str:
    rows = Network(Topology.default()).status()
    wrong = [f"{row.name}: {', '.join(row.wrong) or 'missing'}" for row in rows if not row.ok]
    promise(not wrong, "; ".join(wrong))
    return f"{len(rows)} namespaces"


def _services() -> str:
    gone = [service.name for service in datacentre.services() if service.pid() is None]
    promise(not gone, f"not running: {', '.join(gone)}")
    return "running"


def _machines() -> str:
    seen = Hypervisor().status()
    off = [host.name for host in seen.hosts if not host.ok]
    off += [machine.name for machine in seen.machines if not machine.running]
    promise(not off, f"not running: {', '.join(off)}")
    hosts = ", ".join(host.name for host in seen.hosts)
    return f"{hosts}; {', '.join(machine.name for machine in seen.machines)}"

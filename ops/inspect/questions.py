"""What machines are asked for a bug report, beside what checks ask. Pure.

Command lines of processes are not: they may hold anything. Nor is what HAProxy kept of faulty
requests, which are visitors'.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.loadbalancers.haproxy import SOCKET
from components.routers.linux.conntrackd import CONFIG as CONNTRACKD
from ops.checks.kubernetes import ADMIN
from ops.question import Machine, Question, command, reading
from ops.site import NODES, Site

LINES = 1500
"""Of our daemons' journals, of each machine."""
MOST = 1_000_000
"""Bytes of one answer."""
SECONDS = 30.0
PUSHED = reading(
    "pushed",
    "/var/lib/layered-cloud/*/configuration.json",
    "/var/lib/layered-cloud/*/manifest.json",
    most=MOST,
)
"""The texts that were pushed, with placeholders where they hold secrets."""
RELEASE = reading("release", "/etc/os-release", "/proc/version", "/proc/uptime", "/proc/loadavg")
_UNITS = {
    "router": ("keepalived", "conntrackd", "frr", "bird"),
    "balancer": ("haproxy", "keepalived", "frr", "bird", "rsyslog"),
    "control_plane": ("kubelet", "containerd"),
    "worker": ("kubelet", "containerd"),
}
_EVERYWHERE = (
    *("layered-*", "prometheus-*", "chrony", "ssh"),
    *("systemd-networkd", "systemd-journald"),
)


def _command(name: str, *argv: str) -> Question:
    return command(name, *argv, seconds=SECONDS, most=MOST)


EVERYWHERE = (
    PUSHED,
    RELEASE,
    _command("packages", "dpkg-query", "-W"),
    _command("units", "systemctl", "list-units", "--all", "--full", "--plain", "--no-pager"),
    _command("timers", "systemctl", "list-timers", "--all", "--no-pager"),
    _command("running", "ps", "-eo", "pid,ppid,comm,stat,rss,etime"),
    _command("kernel log", "journalctl", "-k", "-q", "--no-pager", "-o", "short-iso", "-n", "500"),
    _command("addresses and counters", "ip", "-s", "address"),
    _command("routes", "ip", "route", "show", "table", "all"),
    _command("rules", "ip", "rule"),
    _command("neighbours", "ip", "neigh"),
    _command("listening", "ss", "-Hlntu"),
    _command("sockets", "ss", "-s"),
    _command("clock sources", "chronyc", "-n", "sources"),
)
OF_ROLE = {
    "router": (
        _command("ruleset", "nft", "list", "ruleset"),
        _command("conntrackd", "conntrackd", "-C", CONNTRACKD, "-s"),
        _command("bgp of frr", "vtysh", "-c", "show bgp summary"),
        _command("routes of frr", "vtysh", "-c", "show ip route"),
        _command("bgp of bird", "birdc", "show", "protocols", "all"),
        _command("routes of bird", "birdc", "show", "route"),
    ),
    "balancer": tuple(
        Question(
            name=f"haproxy {word}", kind="unix", more={"path": SOCKET, "text": f"show {word}\n"}
        )
        for word in ("info", "stat", "servers state", "pools", "activity")
    ),
}
CLUSTER = tuple(
    _command(f"kubernetes {words}", *ADMIN, "get", *words.split(), "-A", "-o", "wide")
    for words in ("nodes", "pods", "services", "events", "daemonsets,deployments,statefulsets")
)


def units(role: str) -> tuple[str, ...]:
    """Names and patterns of the units whose journal a machine of that role is asked for."""
    return (*_UNITS[role], *_EVERYWHERE)


def asked(site: Site, machine: Machine) -> Sequence[Question]:
    """What one machine is asked; a daemon that is not there says so."""
    named = [f"--unit={each}" for each in units(machine.role)]
    words = ("-q", "--no-pager", "-o", "short-iso", "-n", str(LINES))
    own = [_command("journal", "journalctl", *words, *named), *OF_ROLE.get(machine.role, ())]
    if machine.role in NODES:
        own.append(_command("images", "crictl", "ps", "-a"))
    if machine in site.of("control_plane")[:1]:
        own += CLUSTER
    return [*EVERYWHERE, *own]

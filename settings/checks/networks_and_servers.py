"""Servers that are named by an address: where whoever asks them finds somebody."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from settings.checks.claims import claims, servers
from settings.checks.networks_and_holders import OTHERS, nobodys
from settings.checks.networks_and_outbound import beyond
from settings.checks.registry import doubts, reads
from settings.models.addresses import Address, address, is_address, subnet
from settings.models.networks import Networks
from settings.models.stack import Stack
from settings.problems import Problem, problem

_LOOPBACK = subnet("127.0.0.0/8")
_ASKED = 3
"""Name servers that the C library asks (resolv.conf(5), MAXNS)."""
_ON_THE_LAN = "write a name, or an address that pods reach through the LAN"
_ELSEWHERE = {
    "platform.storage.endpoint": "write an address of Proxmox on the LAN, or one that the routers "
    "lead to"
}
_PORTS = {"http": 80, "https": 443}


@doubts("networks")
def every_resolver_is_asked(stack: Stack) -> Iterator[Problem]:
    """The C library takes the first few, and kubelets say so of every pod."""
    given = stack.networks.resolvers
    if len(given) > _ASKED:
        yield problem(
            "networks.resolvers",
            [str(each) for each in given],
            f"are {len(given)}, of which machines and pods ask the first {_ASKED}",
            f"name {_ASKED} at most",
        )


@reads("networks", "platform")
def machines_ask_nobody_in_the_cluster(stack: Stack) -> Iterator[Problem]:
    """They need names and the time before there is a cluster, and MetalLB answers for its pool
    only where a Service is."""
    for path, server in servers(stack.networks):
        for index, pool in enumerate(stack.platform.metallb.pool):
            if pool.holds(server):
                yield problem(
                    path,
                    server,
                    f"is of platform.metallb.pool[{index}] ({pool.written}), where nobody answers "
                    "before the cluster is there",
                    "name a server outside the cluster",
                )


@reads("networks", "proxmox")
def the_hypervisors_api_is_theirs(stack: Stack) -> Iterator[Problem]:
    """No machine of the stack is Proxmox. A tunnel may end on the machine that runs the update."""
    host = urlsplit(stack.proxmox.endpoint).hostname or ""
    if not is_address(host) or address(host) in _LOOPBACK:
        return
    right = "write the address of a Proxmox host"
    for claim in claims(stack):
        if claim.address == address(host) and claim.path.split(".")[0] not in OTHERS:
            wrong = f"is the address of {claim.owner} ({claim.path}), which is no Proxmox host"
            yield problem("proxmox.endpoint", stack.proxmox.endpoint, wrong, right)
            return
    if (why := nobodys(stack.networks, address(host))) is not None:
        wrong = f"has an address that {why}"
        yield problem("proxmox.endpoint", stack.proxmox.endpoint, wrong, right)


@reads("networks", "platform")
def pods_ask_where_they_have_a_way(stack: Stack) -> Iterator[Problem]:
    """Out of a pod, the management network is closed, and `localhost` is the pod itself."""
    for path, url in _asked_by_pods(stack):
        host = urlsplit(url).hostname or ""
        if (why := _no_way(stack.networks, host)) is not None:
            yield problem(path, url, why, _ELSEWHERE.get(path, _ON_THE_LAN))


@reads("networks", "routers", "platform")
def what_pods_ask_is_let_out(stack: Stack) -> Iterator[Problem]:
    """Else what they do there only waits."""
    outbound = stack.routers.outbound
    lacking: dict[int, list[str]] = {}
    for path, url in _asked_by_pods(stack) if outbound else ():
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        through, there = beyond(stack.networks, host)
        inside = there is not None and there in stack.networks.services
        let = any(each.lets("tcp", port, there) for each in outbound or ())
        if through and not inside and not let:
            lacking.setdefault(port, []).append(f"{host} ({path})")
    monitoring = stack.platform.monitoring
    for index, each in enumerate(monitoring.receivers if monitoring and outbound else ()):
        if each.server is not None and not any(
            rule.lets("tcp", each.port, None) for rule in outbound or ()
        ):
            told = f"{each.server} (platform.monitoring.receivers[{index}].server)"
            lacking.setdefault(each.port, []).append(told)
    for port, hosts in lacking.items():
        yield problem(
            "routers.outbound",
            [each.name for each in outbound or ()],
            f"let nothing out to {' and '.join(hosts)} by TCP {port}, whom pods ask",
            f"add a rule with protocol: tcp and ports: [{port}]",
        )


def _asked_by_pods(stack: Stack) -> Iterator[tuple[str, str]]:
    """What pods of the platform ask by a URL that the stack gives, with its key."""
    platform = stack.platform
    if platform.logging is not None and platform.logging.store.endpoint is not None:
        yield "platform.logging.store.endpoint", platform.logging.store.endpoint
    if platform.velero is not None and platform.velero.endpoint is not None:
        yield "platform.velero.endpoint", platform.velero.endpoint
    if platform.storage is not None:
        yield "platform.storage.endpoint", platform.storage.endpoint
    if platform.delivery is not None:
        yield "platform.delivery.repository", platform.delivery.repository
    issuers = [] if platform.cert_manager is None else platform.cert_manager.issuers
    for index, each in enumerate(issuers):
        if each.traits.writes:
            yield f"platform.cert_manager.issuers[{index}].server", each.server


def _no_way(networks: Networks, host: str) -> str | None:
    if host == "localhost" or host.endswith(".localhost"):
        return "is the pod itself to whom asks it"
    if not is_address(host):
        return None
    there: Address = address(host)
    if there in networks.management.cidr:
        return "is on networks.management, which pods have no way to"
    if networks.sync is not None and there in networks.sync.cidr:
        return "is on networks.sync, which pods have no way to"
    if there in networks.services:
        return None
    why = nobodys(networks, there)
    return None if why is None else f"has an address that {why}"

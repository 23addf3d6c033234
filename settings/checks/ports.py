"""Ports: what listens where on the balancers and on the nodes."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

TAKEN = {
    22: "sshd",
    80: "the HTTP frontend",
    443: "the HTTPS frontend",
    8405: "the check of the local HAProxy",
    8406: "the pair's health",
}
"""Ports of the balancers that are not for settings to choose."""

_SERVED = (80, 443)


@reads("balancers")
def balancer_ports_are_free_of_each_other(stack: Stack) -> Iterator[Problem]:
    """The API and the statistics listen where nothing else does."""
    taken = dict(TAKEN)
    for key, user in (("api_port", "the API frontend"), ("stats_port", "the statistics")):
        port = getattr(stack.balancers, key)
        if port in taken:
            yield problem(
                f"balancers.{key}",
                port,
                f"is taken by {taken[port]} on the balancers",
                f"give {user} a port of its own",
            )
        taken.setdefault(port, f"{user} (balancers.{key})")


@reads("routers")
def public_ports_are_served(stack: Stack) -> Iterator[Problem]:
    """Only ports with a frontend on the balancers are forwarded, and HTTPS always is."""
    ports = stack.routers.public_ports
    for index, port in enumerate(ports):
        path = f"routers.public_ports[{index}]"
        if port not in _SERVED:
            yield problem(
                path, port, "has no frontend on the balancers", "forward 443, and 80 if wanted"
            )
        if port in ports[:index]:
            yield problem(path, port, "stands twice", "name each port once")
    if 443 not in ports:
        yield problem(
            "routers.public_ports",
            ports,
            "leaves out 443, where the CDN connects",
            "add 443",
        )


@reads("platform")
def node_ports_are_distinct(stack: Stack) -> Iterator[Problem]:
    """One NodePort, one service; null is discovered and cannot collide."""
    seen: dict[int, str] = {}
    for key in ("http", "https", "health"):
        port = getattr(stack.platform.ingress.node_ports, key)
        if port is None:
            continue
        earlier = seen.setdefault(port, key)
        if earlier != key:
            yield problem(
                f"platform.ingress.node_ports.{key}",
                port,
                f"is platform.ingress.node_ports.{earlier} already",
                "choose another of 30000 to 32767, or null to discover it",
            )


@reads("balancers")
def timeouts_nest(stack: Stack) -> Iterator[Problem]:
    """A tunnel (WebSocket) outlives ordinary silence, a connect is shorter than an answer."""
    timeouts = stack.balancers.timeouts
    if timeouts.connect > timeouts.server:
        yield problem(
            "balancers.timeouts.connect",
            timeouts.connect,
            f"s is longer than balancers.timeouts.server ({timeouts.server:g} s)",
            "a connection is made faster than a request is answered: write less",
        )
    longest = max(timeouts.client, timeouts.server)
    if timeouts.tunnel < longest:
        yield problem(
            "balancers.timeouts.tunnel",
            timeouts.tunnel,
            f"s is shorter than the client or server timeout ({longest:g} s) it replaces",
            f"write {longest:g} or more",
        )

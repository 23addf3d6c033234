"""The balancers: ports free of each other, timeouts that nest, names once."""

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


@reads("balancers")
def certificate_names_are_told_once(stack: Stack) -> Iterator[Problem]:
    """A name that stands twice is a slip of the pen."""
    names = stack.balancers.certificate.names
    for index, name in enumerate(names):
        if name in names[:index]:
            yield problem(
                f"balancers.certificate.names[{index}]", name, "stands twice", "name it once"
            )

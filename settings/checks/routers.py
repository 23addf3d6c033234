"""The routers: what they forward, and what they can remember."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_SERVED = (80, 443)


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


_ENTRY = 392
"""Bytes of a tracked connection: 256 and 128 of nf_conntrack and what is kept beside it, and one
bucket of the table."""


@reads("routers")
def connections_fit_the_routers(stack: Stack) -> Iterator[Problem]:
    """A full table takes half of a router's memory at most."""
    yield from _table(stack, 2, "half")


@doubts("routers")
def connections_leave_room(stack: Stack) -> Iterator[Problem]:
    """A full table takes a quarter of a router's memory: little is left for the rest."""
    if not list(_table(stack, 2, "")):
        yield from _table(stack, 4, "a quarter")


def _table(stack: Stack, share: int, words: str) -> Iterator[Problem]:
    if not stack.routers.machines:
        return  # What a physical one has room for, only the machine knows.
    most = stack.routers.limits.conntrack_max
    smallest = min(stack.routers.machines, key=lambda machine: machine.memory)
    need = most * _ENTRY // 1024**2
    if need > smallest.memory // share:
        fitting = smallest.memory // 4 * 1024**2 // _ENTRY // 1024 * 1024
        yield problem(
            "routers.limits.conntrack_max",
            most,
            f"takes {need} MiB when full ({_ENTRY} bytes each), more than {words} of "
            f"{smallest.name}'s {smallest.memory}",
            f"write {fitting} or less, or give the routers more memory",
        )

"""The routers: what they forward."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
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

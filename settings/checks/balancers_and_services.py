"""Balancers and public services: every request for a service gets to it."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.balancers_routes import below, takes_all_of
from settings.checks.registry import reads
from settings.models.services import PublicService
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("balancers", "services")
def services_and_routes_have_names_apart(stack: Stack) -> Iterator[Problem]:
    """A service's route is a backend of its name, as any route is."""
    named = {route.name: index for index, route in enumerate(stack.balancers.routes)}
    for index, each in enumerate(stack.services):
        if each.name in named:
            yield problem(
                f"services[{index}].name",
                each.name,
                f"is the name of balancers.routes[{named[each.name]}] already",
                "call one of them otherwise",
            )


@reads("balancers", "services")
def services_get_their_requests(stack: Stack) -> Iterator[Problem]:
    """No route that is tried before takes all of them to somebody else, and none is denied."""
    denied = [each.lower() for each in stack.balancers.filter.denied_paths]
    for index, each in enumerate(stack.services):
        here = f"services[{index}]"
        if below(denied, each.path.lower()):
            yield problem(
                f"{here}.path",
                each.path,
                "is answered with 403, by balancers.filter.denied_paths",
                "choose another path, or let this one through",
            )
        for place, host in enumerate(each.hosts):
            taker = _taker(stack, each, host)
            if taker is not None:
                port = stack.balancers.routes[taker].node_port
                yield problem(
                    f"{here}.hosts[{place}]",
                    host,
                    f"is asked for in vain: balancers.routes[{taker}] takes all of its requests "
                    f"to node_port {port}",
                    "remove one of the two",
                )


def _taker(stack: Stack, service: PublicService, host: str) -> int | None:
    """The first route that leaves the service nothing under that name."""
    asked = service.route.model_copy(update={"hosts": [host]})
    for index, route in enumerate(stack.balancers.routes):
        if route.node_port is not None and route.narrowed and takes_all_of(route, asked):
            return index
    return None

"""The balancers' routes: each is reached by some request, and leads somewhere of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.checks.names import covered
from settings.checks.registry import reads
from settings.models.routing import Route
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("balancers")
def routes_are_named_once(stack: Stack) -> Iterator[Problem]:
    """A route is a backend of its name."""
    names = [route.name for route in stack.balancers.routes]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield problem(
                f"balancers.routes[{index}].name",
                name,
                f"is the name of routes[{names.index(name)}] already",
                "give each route a name of its own",
            )


@reads("balancers")
def routes_are_reached(stack: Stack) -> Iterator[Problem]:
    """The first route that fits is taken: one that takes all of another stands behind it."""
    routes = stack.balancers.routes
    for index, route in enumerate(routes):
        path = f"balancers.routes[{index}]"
        if not route.narrowed:
            yield problem(
                path,
                route.name,
                "would take every request",
                "name hosts, paths, prefixes, methods or headers; what the ingress gets is "
                "balancers.ingress",
            )
            continue
        for before, earlier in enumerate(routes[:index]):
            if earlier.narrowed and _takes_all_of(earlier, route):
                yield problem(
                    path,
                    route.name,
                    f"is never reached: routes[{before}] ({earlier.name}) takes all of its "
                    "requests first",
                    f"put it before {earlier.name}, or remove it",
                )
                break


def _takes_all_of(earlier: Route, later: Route) -> bool:
    return (
        (
            not earlier.hosts
            or (bool(later.hosts) and all(covered(earlier.hosts, each) for each in later.hosts))
        )
        and (
            not earlier.methods or (bool(later.methods) and {*later.methods} <= {*earlier.methods})
        )
        and {(name.lower(), value) for name, value in earlier.headers.items()}
        <= {(name.lower(), value) for name, value in later.headers.items()}
        and _paths_within(earlier, later)
    )


def _paths_within(earlier: Route, later: Route) -> bool:
    if not earlier.paths and not earlier.prefixes:
        return True
    ours = [*later.paths, *later.prefixes]
    return bool(ours) and all(
        _below(earlier.prefixes, each) or (each in earlier.paths and each in later.paths)
        for each in ours
    )


def _below(prefixes: Sequence[str], path: str) -> bool:
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in prefixes)


@reads("balancers")
def only_services_of_their_own_say_how_they_are_asked(stack: Stack) -> Iterator[Problem]:
    """The ingress is asked as the program knows it."""
    for index, route in enumerate(stack.balancers.routes):
        if route.node_port is not None:
            continue
        for key, said in (("tls", route.tls), ("health_path", route.health_path)):
            if said:
                yield problem(
                    f"balancers.routes[{index}].{key}",
                    said,
                    "is about a service's own NodePort, and node_port is not set",
                    f"set node_port, or remove {key}",
                )


@reads("balancers", "platform")
def routes_beside_the_ingress_have_ports_of_their_own(stack: Stack) -> Iterator[Problem]:
    """The ingress' NodePorts take PROXY headers, which these requests do not have."""
    ports = stack.platform.ingress.node_ports
    for index, route in enumerate(stack.balancers.routes):
        for key in ("http", "https", "health"):
            if route.node_port is not None and route.node_port == getattr(ports, key):
                yield problem(
                    f"balancers.routes[{index}].node_port",
                    route.node_port,
                    f"is the ingress' own (platform.ingress.node_ports.{key})",
                    "leave it out for the ingress, or write the service's",
                )


@reads("balancers")
def one_address_has_nothing_to_choose(stack: Stack) -> Iterator[Problem]:
    """With load-balancer-ip the ingress is one server: the cluster shares out."""
    balancers = stack.balancers
    if balancers.target != "load-balancer-ip":
        return
    sharing = [("balancers.ingress", balancers.ingress)]
    sharing += [
        (f"balancers.routes[{index}]", route)
        for index, route in enumerate(balancers.routes)
        if route.node_port is None
    ]
    for path, each in sharing:
        for key, said in (("balance", each.balance), ("sticky", each.sticky)):
            if said not in (None, "roundrobin"):
                yield problem(
                    f"{path}.{key}",
                    said,
                    "chooses among nodes, and balancers.target is one address",
                    f"set balancers.target to node-port, or remove {key}",
                )

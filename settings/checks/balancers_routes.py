"""The balancers' routes: each is reached by some request, and leads somewhere of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.checks.names import covered
from settings.checks.registry import reads
from settings.models.routing import CLIENTS_WORDS, Route, Sharing
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem


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
            if earlier.narrowed and takes_all_of(earlier, route):
                yield problem(
                    path,
                    route.name,
                    f"is never reached: routes[{before}] ({earlier.name}) takes all of its "
                    "requests first",
                    f"put it before {earlier.name}, or remove it",
                )
                break


def takes_all_of(earlier: Route, later: Route) -> bool:
    """Whether every request that fits the later one fits the earlier."""
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
        below(earlier.prefixes, each) or (each in earlier.paths and each in later.paths)
        for each in ours
    )


def below(prefixes: Sequence[str], path: str) -> bool:
    """Whether the path is one of them, or below one."""
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in prefixes)


@reads("balancers")
def routes_are_let_through(stack: Stack) -> Iterator[Problem]:
    """What the balancers answer themselves takes no route."""
    given = stack.balancers.filter
    methods, denied = set(given.methods), [each.lower() for each in given.denied_paths]
    for index, route in enumerate(stack.balancers.routes):
        here = f"balancers.routes[{index}]"
        if methods and route.methods and methods.isdisjoint(route.methods):
            yield problem(
                f"{here}.methods",
                route.methods,
                "are not let through by balancers.filter.methods",
                "take one of them there, or remove the route",
            )
        for key in ("paths", "prefixes"):
            for place, path in enumerate(getattr(route, key)):
                if below(denied, path.lower()):
                    yield problem(
                        f"{here}.{key}[{place}]",
                        path,
                        "is denied by balancers.filter.denied_paths",
                        "remove it there or here",
                    )


@reads("balancers", "cdn")
def routes_ask_for_fields_that_arrive(stack: Stack) -> Iterator[Problem]:
    """A field is asked for once, whatever its case, and still there when it is."""
    told = (stack.cdn.client_header or "").lower()
    for index, route in enumerate(stack.balancers.routes):
        seen: dict[str, str] = {}
        for name in route.headers:
            here, low = f"balancers.routes[{index}].headers.{name}", name.lower()
            if low in seen:
                wrong = f"is {seen[low]} in other letters, and both would have to fit"
                yield problem(here, ABSENT, wrong, "name the field once")
            elif low in _NEVER_THERE and low != told:
                wrong = "fits no request: the balancers take this field out, or write it anew"
                yield problem(here, ABSENT, wrong, "ask for another field")
            seen.setdefault(low, name)


_NEVER_THERE = frozenset((*CLIENTS_WORDS, "connection", "http2-settings", "x-request-id"))


@reads("balancers")
def only_a_table_remembers_for_a_time(stack: Stack) -> Iterator[Problem]:
    """A cookie is the browser's to keep."""
    balancers = stack.balancers
    sharing: list[tuple[str, Sharing]] = [("ingress", balancers.ingress)]
    sharing += [(f"routes[{index}]", route) for index, route in enumerate(balancers.routes)]
    for path, each in sharing:
        if "sticky_for" in each.model_fields_set and each.sticky != "source":
            yield problem(
                f"balancers.{path}.sticky_for",
                each.sticky_for,
                "is for clients told by their address, and sticky is not source",
                "set sticky to source, or remove it",
            )


@reads("balancers")
def one_port_speaks_one_way(stack: Stack) -> Iterator[Problem]:
    """A service speaks TLS at its NodePort or does not, whichever route leads there."""
    first: dict[int, int] = {}
    for index, route in enumerate(stack.balancers.routes):
        if route.node_port is None:
            continue
        earlier = first.setdefault(route.node_port, index)
        if stack.balancers.routes[earlier].tls != route.tls:
            yield problem(
                f"balancers.routes[{index}].tls",
                route.tls,
                f"is not what routes[{earlier}] says of the same node_port ({route.node_port})",
                "say the same of both",
            )


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
        for key in ports.keys_of(route.node_port):
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
    sharing: list[tuple[str, Sharing]] = [("balancers.ingress", balancers.ingress)]
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

"""TCP routes: ports of their own, that the routers lead to, and room for them."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.balancers import TAKEN
from settings.checks.registry import reads
from settings.models.addresses import overlap
from settings.models.stack import Stack
from settings.problems import Problem, problem

_ROUTES = "balancers.tcp_routes"


@reads("balancers")
def tcp_routes_have_ports_of_their_own(stack: Stack) -> Iterator[Problem]:
    """HAProxy listens on each port once, and a name is told from the others."""
    balancers = stack.balancers
    taken = dict(TAKEN)
    for key, user in (("api_port", "the API frontend"), ("stats_port", "the statistics")):
        taken.setdefault(getattr(balancers, key), f"{user} (balancers.{key})")
    names: dict[str, int] = {}
    for index, each in enumerate(balancers.tcp_routes):
        path = f"{_ROUTES}[{index}]"
        if each.port in taken:
            yield problem(
                f"{path}.port",
                each.port,
                f"is taken by {taken[each.port]} on the balancers",
                "give the route a port of its own",
            )
        taken.setdefault(each.port, f"{each.name} ({path})")
        if names.setdefault(each.name, index) != index:
            yield problem(
                f"{path}.name",
                each.name,
                f"is that of {_ROUTES}[{names[each.name]}] already",
                "give each route a name of its own",
            )


@reads("balancers")
def tcp_routes_leave_room(stack: Stack) -> Iterator[Problem]:
    """HTTP and HTTPS have what is left of all connections: half of them at least."""
    balancers = stack.balancers
    wanted, most = (
        sum(each.max_connections for each in balancers.tcp_routes),
        (balancers.max_connections // 2),
    )
    if wanted > most:
        yield problem(
            _ROUTES,
            wanted,
            "connections (the sum of max_connections) leave too few for HTTP and HTTPS of "
            f"balancers.max_connections ({balancers.max_connections})",
            f"let the routes have {most} together, or raise balancers.max_connections",
        )


@reads("balancers", "services")
def tcp_routes_and_others_agree_on_the_header(stack: Stack) -> Iterator[Problem]:
    """A service takes PROXY headers or does not, whichever route leads to its NodePort; routes of
    HTTP to a service of its own write none."""
    said: dict[int, tuple[bool, str]] = {}
    plain = [(f"balancers.routes[{at}]", each) for at, each in enumerate(stack.balancers.routes)]
    plain += [(f"services[{at}]", each.route) for at, each in enumerate(stack.services)]
    for key, route in plain:
        if route.node_port is not None:
            said.setdefault(route.node_port, (False, f"{key} writes no PROXY header"))
    for index, each in enumerate(stack.balancers.tcp_routes):
        here = f"{_ROUTES}[{index}].proxy_protocol"
        words = f"{here} is {str(each.proxy_protocol).lower()}"
        earlier, why = said.setdefault(each.node_port, (each.proxy_protocol, words))
        if earlier != each.proxy_protocol:
            yield problem(
                here,
                each.proxy_protocol,
                f"is at odds about the service at node_port {each.node_port}: {why}",
                "say the same of both, or lead one of them to a port of its own",
            )


@reads("balancers", "routers")
def tcp_routes_are_led_to(stack: Stack) -> Iterator[Problem]:
    """Nobody outside gets to a port that the routers do not forward."""
    vips = stack.balancers.lan_vips
    for index, each in enumerate(stack.balancers.tcp_routes):
        led = any(
            forward.protocol == "tcp"
            and forward.to in vips
            and forward.inside[0] <= each.port <= forward.inside[1]
            for forward in stack.routers.forwards
        )
        if not led:
            yield problem(
                f"{_ROUTES}[{index}].port",
                each.port,
                "is a port that no entry of routers.forwards leads to",
                f"add to routers.forwards: {{ name: {each.name}, port: {each.port}, to: "
                f"{vips[0]} }}",
            )


@reads("balancers", "platform")
def tcp_routes_lead_beside_the_ingress(stack: Stack) -> Iterator[Problem]:
    """The ingress' own ports speak HTTP behind a PROXY header, and have frontends."""
    ports = stack.platform.ingress.node_ports
    for index, each in enumerate(stack.balancers.tcp_routes):
        for key in ports.keys_of(each.node_port):
            yield problem(
                f"{_ROUTES}[{index}].node_port",
                each.node_port,
                f"is the ingress' (platform.ingress.node_ports.{key})",
                "name the service's own",
            )


@reads("balancers", "routers")
def tcp_routes_and_routers_agree(stack: Stack) -> Iterator[Problem]:
    """Who is let in by the one is let in by the other, and remembered by both."""
    vips, remembered = stack.balancers.lan_vips, stack.routers.limits.established_timeout
    for index, each in enumerate(stack.balancers.tcp_routes):
        here = f"{_ROUTES}[{index}]"
        if each.idle_timeout > remembered:
            yield problem(
                f"{here}.idle_timeout",
                each.idle_timeout,
                f"s is longer than routers.limits.established_timeout ({remembered} s): the "
                "routers would forget a silent connection and drop what comes after",
                f"write {remembered} or less, or raise that of the routers",
            )
        for place, forward in enumerate(stack.routers.forwards):
            first, last = forward.inside
            led = forward.to in vips and first <= each.port <= last
            if not led or not each.sources or not forward.sources:
                continue
            if not any(overlap(one, other) for one in each.sources for other in forward.sources):
                yield problem(
                    f"{here}.sources",
                    [str(source) for source in each.sources],
                    f"have nobody in common with routers.forwards[{place}].sources",
                    "write the same in both, or leave one of them out",
                )

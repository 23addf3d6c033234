"""Balancers, routers and the platform: an ACME server's question gets to the ingress."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.cert_manager import CHALLENGE_PATH, Issuer
from settings.models.routing import Route
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem


@reads("routers", "balancers", "platform", "cdn")
def challenges_are_answered(stack: Stack) -> Iterator[Problem]:
    """RFC 8555, section 8.3: by plain HTTP first, at a path below the host's root."""
    for path, issuer in walk(stack.platform, Issuer, "platform"):
        if not issuer.traits.answers:
            continue
        why = _kept_away(stack)
        if why is not None:
            yield problem(
                f"{path}.kind",
                issuer.kind,
                f"proves names by an answer at {CHALLENGE_PATH}, and {why}",
                "let that through, or write acme-dns01",
            )


def _kept_away(stack: Stack) -> str | None:
    if 80 not in stack.routers.public_ports and not stack.cdn.traits.present:
        return "routers.public_ports has no 80"
    given = stack.balancers.filter
    for each in given.denied_paths:
        if _holds(each, CHALLENGE_PATH):
            return f"balancers.filter.denied_paths has {each}"
    if given.methods and "GET" not in given.methods:
        return "balancers.filter.methods lets no GET through"
    for index, route in enumerate(stack.balancers.routes):
        if _takes_the_question(route):
            return f"balancers.routes[{index}] takes that to node_port {route.node_port}"
    return None


def _takes_the_question(route: Route) -> bool:
    """Whatever the name: routes for some hosts or requests leave the question of others alone."""
    return (
        route.node_port is not None
        and not route.hosts
        and not route.headers
        and (not route.methods or "GET" in route.methods)
        and any(_holds(each, CHALLENGE_PATH) for each in route.prefixes)
    )


def _holds(prefix: str, path: str) -> bool:
    return path == prefix.lower() or path.startswith(f"{prefix.lower().rstrip('/')}/")

"""Balancers and whoever stands in front: what both say of visitors agrees."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import doubts, reads
from settings.models.addresses import PRIVATE, within
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("balancers", "cdn")
def nobody_queues_for_longer_than_the_cdn_waits(stack: Stack) -> Iterator[Problem]:
    """The visitor has an error by then, and the node would answer nobody."""
    queue, waits = stack.balancers.timeouts.queue, stack.cdn.limits.read_timeout
    if stack.cdn.traits.present and queue >= waits:
        yield problem(
            "balancers.timeouts.queue",
            queue,
            f"s is no less than the CDN waits for an answer, cdn.limits.read_timeout ({waits:g} s)",
            f"write less than {waits:g}, such as 5",
        )


@doubts("balancers", "cdn")
def browsers_are_told_one_thing(stack: Stack) -> Iterator[Problem]:
    """Both write one header field, of which a browser keeps one."""
    ours, theirs = stack.balancers.answers.hsts, stack.cdn.hsts
    if ours is None or theirs is None:
        return
    if (ours.seconds, ours.subdomains, ours.preload) != (
        theirs.max_age,
        theirs.include_subdomains,
        theirs.preload,
    ):
        yield problem(
            "balancers.answers.hsts.seconds",
            ours.seconds,
            f"and what is beside it is not what cdn.hsts says ({theirs.max_age} s): visitors get "
            "one of the two",
            "say the same of both, or remove one of them",
        )


@doubts("balancers", "cdn")
def somebody_allowed_comes_through_the_cdn(stack: Stack) -> Iterator[Problem]:
    """It names visitors by their addresses on the internet."""
    allow = stack.balancers.sources.allow
    inside = [any(within(each, private) for private in PRIVATE) for each in allow]
    if allow and all(inside) and stack.cdn.traits.present:
        yield problem(
            "balancers.sources.allow",
            [str(each) for each in allow],
            f"are private, and visitors of {stack.cdn.traits.called} have public addresses: "
            "nobody would be answered",
            "write the networks that visitors come from",
        )


@doubts("balancers")
def pages_can_be_asked_for(stack: Stack) -> Iterator[Problem]:
    """A browser begins with GET."""
    methods = stack.balancers.filter.methods
    if methods and "GET" not in methods:
        yield problem(
            "balancers.filter.methods",
            methods,
            "leave out GET, with which browsers and caches ask",
            "add GET, unless nobody asks for a page",
        )


@doubts("balancers")
def a_node_is_limited_below_all(stack: Stack) -> Iterator[Problem]:
    """A limit for one node that is no less than the limit for all is none."""
    balancers = stack.balancers
    sharing = [("balancers.ingress", balancers.ingress)]
    sharing += [(f"balancers.routes[{at}]", each) for at, each in enumerate(balancers.routes)]
    for path, each in sharing:
        most = each.max_connections_per_node
        if most is not None and most >= balancers.max_connections:
            yield problem(
                f"{path}.max_connections_per_node",
                most,
                f"limits nothing: balancers.max_connections is {balancers.max_connections}",
                "write less, or leave it out",
            )

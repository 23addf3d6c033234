"""Balancers and the platform: the ingress takes what the balancers pass on."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.platform_ingress import INGRESS
from settings.checks.registry import doubts
from settings.models.stack import Stack
from settings.problems import Problem, problem


@doubts("balancers", "platform")
def ingress_takes_what_the_balancers_pass_on(stack: Stack) -> Iterator[Problem]:
    """A request is refused by whom a visitor meets, the balancers, rather than behind them. A
    warning: few requests are that large."""
    most, sizes = INGRESS[stack.platform.ingress.kind].request, stack.balancers.sizes
    if most is not None and sizes.headers + sizes.url > most:
        yield problem(
            "balancers.sizes",
            f"{sizes.headers + sizes.url} KiB",
            f"of a request's header fields and URL are passed on to the ingress, and kind "
            f"{stack.platform.ingress.kind} takes {most}: it would refuse what is larger",
            f"write headers and url of {most} in all, and cdn.limits to match",
        )

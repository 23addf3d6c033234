"""The ingress controller's values: what a stack adds leaves the chain as it is, and pods that leave
finish what they serve. Each kind has a row of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import undone
from settings.checks.platform_ingress_rules import Arguments, IngressRules, mapping
from settings.checks.platform_ingress_traefik import TRAEFIK
from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

INGRESS: Final[Mapping[str, IngressRules]] = {"traefik": TRAEFIK}
"""By the word of `platform.ingress.kind`."""

_VALUES = "platform.ingress.chart.values"


@reads("platform")
def ingress_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """Reached by NodePorts, believing the balancers alone; by values or by arguments."""
    ingress = stack.platform.ingress
    values, rules = ingress.chart.values, INGRESS[ingress.kind]
    yield from undone(_VALUES, values, rules.decided(ingress))
    if rules.arguments is not None:
        yield from _arguments(values, rules.arguments)


def _arguments(values: Mapping[str, Any], arguments: Arguments) -> Iterator[Problem]:
    for key in arguments.keys:
        given = values.get(key, [])
        for index, each in enumerate(given if isinstance(given, list) else []):
            if isinstance(each, str) and arguments.decided.match(each):
                yield problem(
                    f"{_VALUES}.{key}[{index}]",
                    each,
                    "sets an entry point that is decided",
                    "remove it",
                )


@doubts("platform")
def ingress_pods_leave_in_good_order(stack: Stack) -> Iterator[Problem]:
    """A successor first, and patience for what a pod that leaves still serves."""
    values = stack.platform.ingress.chart.values
    leaving = INGRESS[stack.platform.ingress.kind].leaving
    here, strategy = ".".join((_VALUES, *leaving.strategy)), mapping(values, *leaving.strategy)
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        wrong = "leaves old pods in place for ever"
        yield problem(f"{here}.type", _shown(strategy["type"]), wrong, "remove it")
    rolling = mapping(strategy, "rollingUpdate")
    if rolling.get("maxUnavailable", 0) not in (0, "0", "0%", None):
        yield problem(
            f"{here}.rollingUpdate.maxUnavailable",
            _shown(rolling["maxUnavailable"]),
            "lets a pod go before its successor is ready: its node refuses requests meanwhile",
            "remove it",
        )
    *holder, key = leaving.patience
    patience = mapping(values, *holder).get(key)
    given = leaving.default if patience is None else patience
    for name, needed in leaving.promised(values):
        if isinstance(given, int) and given < needed:
            yield problem(
                ".".join((_VALUES, *leaving.patience)),
                given,
                f"kills a pod whose {name} has {needed} s for what it serves",
                f"write {needed + 10}",
            )
            return


def _shown(value: Any) -> Any:
    return ABSENT if isinstance(value, dict | list) else value

"""Pods of the ingress that leave: what they serve is finished, and a successor is there first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.registry import doubts
from settings.models.platform import ACCEPT_SECONDS, FINISH_SECONDS
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|)")
_LEAVES: Final = ACCEPT_SECONDS + FINISH_SECONDS + 10
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


@doubts("platform")
def ingress_pods_leave_in_good_order(stack: Stack) -> Iterator[Problem]:
    """A successor first, and patience for what a pod that leaves still serves."""
    path, values = "platform.ingress.chart.values", stack.platform.ingress.chart.values
    strategy = _mapping(values, "updateStrategy")
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        wrong = "leaves old pods in place for ever"
        yield problem(f"{path}.updateStrategy.type", _shown(strategy["type"]), wrong, "remove it")
    rolling = _mapping(strategy, "rollingUpdate")
    if rolling.get("maxUnavailable", 0) not in (0, "0", "0%", None):
        yield problem(
            f"{path}.updateStrategy.rollingUpdate.maxUnavailable",
            _shown(rolling["maxUnavailable"]),
            "lets a pod go before its successor is ready: its node refuses requests meanwhile",
            "remove it",
        )
    patience = _mapping(values, "deployment").get("terminationGracePeriodSeconds")
    ports = _mapping(values, "ports")
    for name in ("web", "websecure"):
        cycle = _mapping(ports, name, "transport", "lifeCycle")
        needed = _seconds(cycle.get("requestAcceptGraceTimeout"), ACCEPT_SECONDS)
        needed += _seconds(cycle.get("graceTimeOut"), FINISH_SECONDS)
        given = _LEAVES if patience is None else patience
        if isinstance(given, int) and given < needed:
            yield problem(
                f"{path}.deployment.terminationGracePeriodSeconds",
                given,
                f"kills a pod whose {name} has {needed} s for what it serves",
                f"write {needed + 10}",
            )
            return


def _mapping(values: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    held: Any = values
    for key in keys:
        held = held.get(key) if isinstance(held, Mapping) else None
    return held if isinstance(held, Mapping) else {}


def _shown(value: Any) -> Any:
    return ABSENT if isinstance(value, dict | list) else value


def _seconds(given: Any, default: int) -> int:
    """Of a Go duration in one unit, or a number; anything else is left to Traefik."""
    found = _DURATION.fullmatch(str(given))
    return default if found is None else int(found[1]) * _UNITS[found[2]]

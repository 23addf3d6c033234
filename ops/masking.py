"""What of a stack is secret, and texts without it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ops.checks.model import Seen
from ops.judge import Row
from ops.question import Answer
from ops.scripts.redact import MASK, expression, masked
from ops.site import Site

PLAIN: Final = frozenset(
    {
        *("vips", "node_ports", "load_balancer_ip", "api_endpoints", "owners", "forwarded_ports"),
        *("exporters", "certificate_authority", "urls", "inventory"),
    }
)
"""The outputs that hold no secret; whatever else there is or will be is one."""
_OF_KUBECONFIG = re.compile(r"(?:client-key-data|token|password):\s*(\S+)")


def values(outputs: Mapping[str, Any]) -> Iterator[str]:
    """Every value of a secret output; of a kubeconfig what is secret in it too."""
    for name, value in outputs.items():
        if name not in PLAIN:
            yield from _texts(value)
    yield from _OF_KUBECONFIG.findall(str(outputs.get("kubeconfig") or ""))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def known(site: Site) -> re.Pattern[str] | None:
    """What to look for in texts about this stack."""
    return expression(values(site.outputs))


def without(site: Site, rows: list[Row]) -> list[Row]:
    """Rows whose sentences, which have machines' own words, hold no secret."""
    pattern = known(site)
    return [
        replace(
            row,
            wrong=tuple(masked(each, pattern) for each in row.wrong),
            result=replace(row.result, detail=masked(row.result.detail, pattern)),
        )
        for row in rows
    ]


def unspoken(seen: Seen) -> Seen:
    """What was seen, without known values in what machines said."""
    pattern = known(seen.site)
    if pattern is None:
        return seen
    machines = {
        name: replace(
            each,
            answers={key: _unspoken(answer, pattern) for key, answer in each.answers.items()},
        )
        for name, each in seen.machines.items()
    }
    return replace(seen, machines=machines)


def _unspoken(answer: Answer, pattern: re.Pattern[str]) -> Answer:
    return replace(answer, out=pattern.sub(MASK, answer.out), err=pattern.sub(MASK, answer.err))

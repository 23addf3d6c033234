"""What of a stack is secret, and texts without it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ops.checks.model import Seen
from ops.judge import Row
from ops.question import Answer
from ops.scripts.redact import kept, known, unknown
from ops.shapes import masked
from ops.site import Site

PLAIN: Final = frozenset(
    {
        *("vips", "node_ports", "load_balancer_ip", "api_endpoints", "owners", "forwarded_ports"),
        *("exporters", "certificate_authority", "urls", "inventory"),
    }
)
"""The outputs that hold no secret; whatever else there is or will be is one."""


def values(site: Site) -> Iterator[str]:
    """Every value of a secret output, of a kubeconfig what is secret in it too; what else is known
    to be secret."""
    for name, value in site.outputs.items():
        if name not in PLAIN:
            for text in _texts(value):
                yield text
                yield from kept(text)
    yield from site.secrets


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def without(site: Site, rows: list[Row]) -> list[Row]:
    """Rows whose sentences, which have machines' own words, hold no secret."""
    forms = known(values(site))
    return [
        replace(
            row,
            wrong=tuple(masked(each, forms) for each in row.wrong),
            result=replace(row.result, detail=masked(row.result.detail, forms)),
        )
        for row in rows
    ]


def unspoken(seen: Seen) -> Seen:
    """What was seen, without known values in what machines said and in outputs that are shown."""
    forms = known(values(seen.site))
    machines = {
        name: replace(
            each,
            answers={key: _unspoken(answer, forms) for key, answer in each.answers.items()},
        )
        for name, each in seen.machines.items()
    }
    # Those that hold secrets are asked for by name, by whoever knows what of them is none.
    outputs = {
        name: _cleaned(value, forms) if name in PLAIN else value
        for name, value in seen.site.outputs.items()
    }
    return replace(seen, machines=machines, site=replace(seen.site, outputs=outputs))


def _cleaned(value: Any, forms: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _cleaned(each, forms) for key, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each, forms) for each in value]
    return unknown(value, forms) if isinstance(value, str) else value


def _unspoken(answer: Answer, forms: Sequence[str]) -> Answer:
    return replace(answer, out=unknown(answer.out, forms), err=unknown(answer.err, forms))

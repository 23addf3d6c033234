"""Keys of a chart's values: what the chart does not know does nothing, silently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from settings.models.walk import mapping
from settings.problems import ABSENT, Problem, problem


def overlooked(
    path: str, values: Mapping[str, Any], chart: str, keys: Mapping[str, str]
) -> Iterator[Problem]:
    """Every key of a stack's values, which stand at `path`, that the chart does not have.

    `keys` are the keys that it has, apart by blanks, by the place where they stand
    (`controller.service`; empty for the values themselves); below a place that is not listed
    everything is taken.
    """
    for place, words in keys.items():
        steps, known = [each for each in place.split(".") if each], words.split()
        for key in mapping(values, *steps):
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                yield problem(
                    ".".join((path, *steps, str(key))),
                    ABSENT,
                    f"is no key of the chart {chart}, which would overlook it",
                    f"write {near[0]}, or remove it" if near else "remove it",
                )

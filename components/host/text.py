"""Files' texts from templates, and values laid over values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def environment(*templates: Path) -> Environment:
    """The templates of folders, the first one's first: configuration files and shell texts, as they
    stand (nothing is escaped); a value that is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(list(templates)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - not HTML
    )
    made.filters["seconds"] = seconds
    return made


def seconds(value: float) -> str:
    """A time in seconds, to the hundredth, without trailing zeros: `0.3`, `1`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def milliseconds(value: float) -> str:
    """A time in whole milliseconds, from seconds: `300ms`, `1000ms`."""
    return f"{round(value * 1000)}ms"


def json_object(members: Mapping[str, str]) -> str:
    """A JSON object of members whose values are JSON already, or become it later (`"%ci"`)."""
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: mappings are merged, everything else (lists too) is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result

"""Finding values of a kind anywhere in a stack, so that nobody keeps a list of where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel

Kind = TypeVar("Kind")


def walk(value: object, kind: type[Kind], path: str = "") -> Iterator[tuple[str, Kind]]:
    """Every value of type `kind` in `value` with its path, such as `platform.metallb.chart`.

    In the order of the models' fields; what lies inside a value found is not looked at. Sections
    that a stack lacks (it is under repair) are passed over.
    """
    if isinstance(value, kind):
        yield path, value
    elif isinstance(value, BaseModel):
        dot = "." if path else ""
        for name in type(value).model_fields:
            if name in value.__dict__:
                yield from walk(getattr(value, name), kind, f"{path}{dot}{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from walk(each, kind, f"{path}[{index}]")

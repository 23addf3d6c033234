"""Finding values of a kind anywhere in a stack, so that nobody keeps a list of where they stand;
and a mapping in values whose keys are not ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

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
        for name in _leading(type(value), kind):
            if name in value.__dict__:
                yield from walk(value.__dict__[name], kind, f"{path}{dot}{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from walk(each, kind, f"{path}[{index}]")


def mapping(values: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The mapping at that place of the values; empty when there is none."""
    held: Any = values
    for key in keys:
        held = held.get(key) if isinstance(held, Mapping) else None
    return held if isinstance(held, Mapping) else {}


# Every stack is walked some hundred times: the models tell where there is nothing to find.
_LEADING: dict[tuple[type, type], tuple[str, ...]] = {}


def _leading(model: type[BaseModel], kind: type) -> tuple[str, ...]:
    """The fields that may hold a value of a kind, or something that does."""
    if (model, kind) not in _LEADING:
        fields = model.model_fields.items()
        _LEADING[model, kind] = tuple(
            name for name, field in fields if _may_hold(field.annotation, kind)
        )
    return _LEADING[model, kind]


def _may_hold(annotation: Any, kind: type) -> bool:
    if inner := get_args(annotation):
        return any(_may_hold(each, kind) for each in inner)
    if not isinstance(annotation, type):
        # Of a `Literal` one of its values.
        return annotation is Any or isinstance(annotation, kind)
    if issubclass(annotation, kind) or issubclass(kind, annotation):
        return True
    return issubclass(annotation, BaseModel) and bool(_leading(annotation, kind))

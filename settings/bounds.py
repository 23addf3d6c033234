"""What a model asks of a value beside its type: bounds, units, forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from settings.models.base import Form, Unit
from settings.shape import alternatives, marks


def asked(annotation: Any, field: FieldInfo | None = None) -> Iterator[Any]:
    """Everything that stands beside the type: bounds, units, forms; not of a list's items."""
    found = [*marks(annotation), *([] if field is None else field.metadata)]
    for each in found:
        yield from each.metadata if isinstance(each, FieldInfo) else (each,)


def least(annotation: Any, field: FieldInfo) -> int:
    """The smallest whole number that a key takes, or 1."""
    found = (each.ge for each in asked(annotation, field) if isinstance(each, Ge))
    return next((max(1, each) for each in found if isinstance(each, int)), 1)


def ranges(annotation: Any, field: FieldInfo) -> list[str]:
    """What is asked of the value, then of a list's items, in words."""
    said = _words(asked(annotation, field), many=_holds_many(annotation))
    for each in alternatives(annotation):
        if get_origin(each) in (list, dict):
            item = get_args(each)[-1]
            said += [f"each: {word}" for word in _words(asked(item), many=_holds_many(item))]
    return list(dict.fromkeys(said))


def _holds_many(annotation: Any) -> str | None:
    origins = {get_origin(each) for each in alternatives(annotation)}
    if origins & {list, dict}:
        return "items"
    return "characters" if str in set(alternatives(annotation)) else None


def _words(found: Iterator[Any], many: str | None) -> list[str]:
    low = high = ""
    unit = ""
    said: list[str] = []
    for each in found:
        if isinstance(each, Ge):
            low = f"at least {each.ge:,}"
        elif isinstance(each, Gt):
            low = f"more than {each.gt:,}"
        elif isinstance(each, Le):
            high = f"at most {each.le:,}"
        elif isinstance(each, Lt):
            high = f"less than {each.lt:,}"
        elif isinstance(each, MinLen):
            said.append(f"at least {_counted(each.min_length, many)}")
        elif isinstance(each, MaxLen):
            said.append(f"at most {_counted(each.max_length, many)}")
        elif isinstance(each, Unit):
            unit = f" {each.name}"
        elif isinstance(each, Form):
            said.append(each.right)
    bounds = ", ".join(word for word in (low, high) if word)
    return [f"{bounds}{unit}", *said] if bounds else [*([f"in{unit}"] if unit else []), *said]


def _counted(number: int, many: str | None) -> str:
    words = many or "items"
    return f"{number} {words.removesuffix('s') if number == 1 else words}"

"""What stands where in a stack, by the models' annotations."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from settings.models.stack import Stack

Step = str | int


@cache
def hints(model: type[BaseModel]) -> dict[str, Any]:
    """The annotations of a model's fields, with everything inside `Annotated`."""
    whole = get_type_hints(model, include_extras=True)
    return {name: whole[name] for name in model.model_fields}


def annotation_at(location: Iterable[Step]) -> Any:
    """The annotation at a location counted from `Stack`: `Any` inside a free value, None where
    nothing is expected."""
    here: Any = Stack
    for step in location:
        here = _inside(here, step)
    return here


def _inside(annotation: Any, step: Step) -> Any:
    if annotation is Any:
        return Any
    for each in alternatives(annotation):
        origin = get_origin(each)
        if isinstance(each, type) and issubclass(each, BaseModel):
            if step in hints(each):
                return hints(each)[str(step)]
        elif (origin is list and isinstance(step, int)) or (
            origin is dict and isinstance(step, str)
        ):
            return get_args(each)[-1]
    return None


def alternatives(annotation: Any) -> Iterator[Any]:
    """The types a value may have, out of `Annotated` and of unions."""
    if get_origin(annotation) is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from alternatives(each)
    else:
        yield annotation


def marks(annotation: Any) -> Iterator[Any]:
    """What stands in `Annotated` beside the type, of every alternative."""
    if get_origin(annotation) is Annotated:
        inner, *found = get_args(annotation)
        yield from found
        yield from marks(inner)
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from marks(each)


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model among the alternatives, or of a list's items."""
    for each in alternatives(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
        if get_origin(each) is list:
            return model_of(get_args(each)[0])
    return None


def is_list(annotation: Any) -> bool:
    """Whether a list may stand there."""
    return any(get_origin(each) is list for each in alternatives(annotation))


def choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a `Literal`; empty for anything else."""
    return tuple(
        value
        for each in alternatives(annotation)
        if get_origin(each) is Literal
        for value in get_args(each)
    )

"""Pydantic's errors in the words of the person who wrote the stack file."""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from settings.models import base
from settings.models.stack import Stack
from settings.problems import ABSENT, NAMESPACE, Problem

_KINDS: Final = {
    "int_type": ("is not a whole number", "write a number without quotes"),
    "int_from_float": ("is not a whole number", "write a number without a fraction"),
    "float_type": ("is not a number", "write a number without quotes"),
    "finite_number": ("is not finite", "write an ordinary number"),
    "string_type": ("is not text", "put it in quotes"),
    "bool_type": ("is not true or false", "write true or false without quotes"),
    "list_type": ("is not a list", "write a list, even for one item: [item]"),
    "dict_type": ("is not a mapping", "write keys and values"),
    "model_type": ("is not a section", "write keys and values"),
    "model_attributes_type": ("is not a section", "write keys and values"),
    "literal_error": ("is not one of the choices", "write {expected}"),
    "greater_than_equal": ("is too small", "write at least {ge}"),
    "greater_than": ("is too small", "write more than {gt}"),
    "less_than_equal": ("is too large", "write at most {le}"),
    "too_short": ("has too few items ({actual_length})", "write {min_length} at least"),
    "too_long": ("has too many items ({actual_length})", "write {max_length} at most"),
    "string_too_short": ("is too short", "write {min_length} characters at least"),
    "string_too_long": ("is too long", "write {max_length} characters at most"),
}
_QUOTED: Final = {"int_type", "float_type", "bool_type"}
"""Errors about text in place of something else: the quotes are the point."""
_NEARNESS = 0.6


def dotted(location: Iterable[str | int]) -> str:
    """`("routers", "machines", 0, "lan")` as `layered-cloud:routers.machines[0].lan`."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else str(step)
    return f"{NAMESPACE}:{path}"


def nearest(name: str, valid: Iterable[str]) -> str:
    """What to write instead of an unknown key: the nearest valid one, then all of them."""
    names = list(valid)
    folded = {re.sub(r"[^a-z0-9]", "", key.lower()): key for key in names}
    close = difflib.get_close_matches(
        re.sub(r"[^a-z0-9]", "", name.lower()), list(folded), n=1, cutoff=_NEARNESS
    )
    listing = f"valid here: {', '.join(names)}"
    return f"did you mean {folded[close[0]]}? {listing}" if close else listing


def translate(error: ErrorDetails) -> Problem:
    """One pydantic error at a location counted from `Stack`."""
    location = tuple(step for step in error["loc"] if step != "[key]")
    context: Mapping[str, Any] = error.get("ctx", {})
    kind = error["type"]
    value: object = error["input"]
    key = dotted(location)
    if kind == base.FAULT:
        wrong, right = str(context["wrong"]), str(context["right"])
        shown = ABSENT if isinstance(value, dict | list) else value
        return Problem(key=key, value=shown, wrong=wrong, right=right)
    if kind == "missing":
        right = _meaning(location)
        return Problem(key=key, wrong="is missing", right=right)
    if kind == "extra_forbidden":
        parent = model_at(location[:-1])
        fields = list(parent.model_fields) if parent is not None else []
        right = nearest(str(location[-1]), fields)
        return Problem(key=key, wrong="is not a key here", right=right)
    wrong, right = _words(kind, context)
    if isinstance(value, dict | list):
        value = ABSENT
    elif isinstance(value, str) and kind in _QUOTED:
        value = json.dumps(value)
    return Problem(key=key, value=value, wrong=wrong, right=right)


def _words(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    wrong, right = _KINDS.get(kind, ("is not valid", f"the rule it breaks is {kind}"))
    shown = {name: _plain(value) for name, value in context.items()}
    return wrong.format(**shown), right.format(**shown)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("'", "")


def model_at(location: Iterable[str | int]) -> type[BaseModel] | None:
    """The model that stands at a location counted from `Stack`, if one does."""
    model: type[BaseModel] | None = Stack
    for step in location:
        if isinstance(step, int):
            continue
        if model is None or step not in model.model_fields:
            return None
        model = _inner_model(model.model_fields[step].annotation)
    return model


def _inner_model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, types.UnionType, list):
        for argument in get_args(annotation):
            found = _inner_model(argument)
            if found is not None:
                return found
    return None


def _meaning(location: tuple[str | int, ...]) -> str:
    parent = model_at(location[:-1])
    field = parent.model_fields.get(str(location[-1])) if parent is not None else None
    if field is None:
        return "set it: it has no default"
    right = f"set it: {' '.join((field.description or 'it has no default').split()).rstrip('.')}"
    inner = _inner_model(field.annotation)
    if get_origin(field.annotation) is Literal:
        right += f" ({' or '.join(map(str, get_args(field.annotation)))})"
    elif inner is not None:
        required = [name for name, each in inner.model_fields.items() if each.is_required()]
        each_item = "each with" if get_origin(field.annotation) is list else "with"
        right += f" ({each_item} at least {', '.join(required)})"
    return right

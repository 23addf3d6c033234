"""Pydantic's errors in the words of the person who wrote the stack file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sized
from typing import Any, Final

from pydantic_core import ErrorDetails

from settings.models import base
from settings.problems import ABSENT, Problem, dotted
from settings.shape import Step, annotation_at, choices, hints, is_list, marks, model_of
from settings.units import in_units, number, whole, without_quotes
from settings.words import closest, nearest

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
_COUNTED: Final = ("too_short", "too_long")
_BOUNDS: Final = ("greater_than_equal", "greater_than", "less_than_equal")
_TRUTHS: Final = ("true", "false", "yes", "no", "on", "off", "y", "n", "")
"""How somebody may write a truth."""
_QUOTED: Final = {"int_type", "float_type", "bool_type"}
"""Errors about text in place of something else: the quotes are the point."""


def translate(error: ErrorDetails, location: tuple[Step, ...], written: str | None) -> Problem:
    """One pydantic error at a location counted from `Stack`; `written` is the number that stands
    there as the file has it."""
    context: Mapping[str, Any] = error.get("ctx", {})
    kind = error["type"]
    value: Any = error["input"]
    key = dotted(location)
    if kind == base.FAULT:
        wrong, right = str(context["wrong"]), str(context["right"])
        return Problem(key=key, value=_shown(value, written), wrong=wrong, right=right)
    if kind == "missing":
        return Problem(key=key, wrong="is missing", right=_meaning(location))
    if kind == "extra_forbidden":
        parent = model_of(annotation_at(location[:-1]))
        name, known = str(location[-1]), getattr(parent, "elsewhere", {})
        right = known.get(name) or nearest(name, list(hints(parent)) if parent is not None else [])
        return Problem(key=key, wrong="is not a key here", right=right)
    annotation = annotation_at(location)
    if kind in _COUNTED and isinstance(value, Sized):
        context = {**context, "actual_length": len(value)}  # not told of a mapping
    wrong, right = _words(kind, context)
    if kind == "bool_type" and isinstance(value, str) and (secret := _secret(value, annotation)):
        wrong += " (its value is not shown)"
        right = f"write true, and what is secret into {secret}"
        return Problem(key=key, wrong=wrong, right=right)
    right = _better(kind, value, annotation, context, written) or right
    if isinstance(value, str) and kind in _QUOTED:
        value = json.dumps(value, ensure_ascii=False)
    return Problem(key=key, value=_shown(value, written), wrong=wrong, right=right)


def _secret(text: str, annotation: Any) -> str | None:
    """Of a text where a truth belongs, the name of the secret that it was meant for."""
    told = next((each for each in marks(annotation) if isinstance(each, base.Elsewhere)), None)
    return None if told is None or text.lower() in _TRUTHS else told.secret


def _better(
    kind: str, value: object, annotation: Any, context: Mapping[str, Any], written: str | None
) -> str | None:
    """What would be right, by what was written; None where the kind of error says it all."""
    found: str | None = None
    if isinstance(value, str) and kind in _QUOTED:
        found = without_quotes(value, annotation) or number(kind, annotation)
    elif kind == "int_type" and isinstance(value, float):
        found = whole(value, annotation, written)
    elif kind == "string_type":
        found = _as_text(value, annotation, written)
    elif kind == "literal_error":
        found = _choice(value, annotation, written)
    elif kind in _BOUNDS:
        found = _words(kind, context)[1] + in_units(value, annotation, context)
    elif kind in ("model_type", "model_attributes_type"):
        found = _section(annotation)
    elif kind == "list_type":
        found = _as_list(value, annotation, written)
    return found


def _as_list(value: object, annotation: Any, written: str | None) -> str | None:
    if isinstance(value, dict):
        inner = _section(annotation)
        item = None if inner is None else inner.removeprefix("write keys and values: ")
    else:
        known = isinstance(value, str | int | float) and value is not True
        item = str(_shown(value, written)) if known else None
    return None if item is None else f"write a list, even for one item: [{item}]"


def _shown(value: object, written: str | None) -> object:
    if isinstance(value, dict | list):
        return ABSENT
    return written if written is not None and not isinstance(value, str) else value


def _words(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    wrong, right = _KINDS.get(kind, ("is not valid", f"the rule it breaks is {kind}"))
    shown = {name: _plain(value) for name, value in context.items()}
    return wrong.format(**shown), right.format(**shown)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("'", "")


def _as_text(value: object, annotation: Any, written: str | None) -> str | None:
    """For a number or a word of YAML where text belongs."""
    if isinstance(value, dict | list):
        return "write text"
    form = next((each for each in marks(annotation) if isinstance(each, base.Form)), None)
    text = written if written is not None else _plain(value)
    if value is None:
        return form.right if form is not None else "write something"
    if isinstance(value, bool):
        text = str(value).lower()
    if form is None or re.fullmatch(form.pattern, text):
        return f'put it in quotes: "{text}"'
    return form.right


def _choice(value: object, annotation: Any, written: str | None) -> str | None:
    valid = [each for each in choices(annotation) if isinstance(each, str)]
    text = written if written is not None else str(value).lower()
    if value is not None and not isinstance(value, str) and text in valid:
        return f'put it in quotes: "{text}"'
    if isinstance(value, str) and (close := closest(value, valid)) is not None:
        return f"write {close}" if len(valid) == 1 else f"did you mean {close}? {_either(valid)}"
    return _either(valid)


def _either(valid: list[str]) -> str:
    return f"write {' or '.join(valid)}"


def _section(annotation: Any) -> str | None:
    model = model_of(annotation)
    if model is None:
        return None
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    named = required or list(model.model_fields)[:1]
    return f"write keys and values: {{ {', '.join(f'{name}: ...' for name in named)} }}"


def _meaning(location: tuple[Step, ...]) -> str:
    parent = model_of(annotation_at(location[:-1]))
    field = parent.model_fields.get(str(location[-1])) if parent is not None else None
    if field is None:
        return "set it: it has no default"
    right = f"set it: {' '.join((field.description or 'it has no default').split()).rstrip('.')}"
    annotation = annotation_at(location)
    inner = model_of(annotation)
    if valid := choices(annotation):
        right += f" ({' or '.join(map(str, valid))})"
    elif inner is not None:
        required = [name for name, each in inner.model_fields.items() if each.is_required()]
        right += (
            f" ({'each with' if is_list(annotation) else 'with'} at least {', '.join(required)})"
        )
    return right

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
_QUOTED: Final = {"int_type", "float_type", "bool_type"}
"""Errors about text in place of something else: the quotes are the point."""
_SUFFIXES: Final[dict[str, dict[str, float]]] = {
    "MiB": {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024**2},
    "GiB": {"m": 1 / 1024, "g": 1, "t": 1024},
    "seconds": {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400},
    "hours": {"h": 1, "d": 24, "w": 168, "y": 8760},
}


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
        right = nearest(str(location[-1]), list(hints(parent)) if parent is not None else [])
        return Problem(key=key, wrong="is not a key here", right=right)
    annotation = annotation_at(location)
    if kind in _COUNTED and isinstance(value, Sized):
        context = {**context, "actual_length": len(value)}  # not told of a mapping
    wrong, right = _words(kind, context)
    if isinstance(value, str) and kind in _QUOTED:
        right = _without_quotes(value, annotation) or right
        value = json.dumps(value, ensure_ascii=False)
    elif kind == "int_type" and isinstance(value, float) and value.is_integer():
        right = f"write {value:.0f}"
    elif kind == "string_type":
        right = _as_text(value, annotation, written) or right
    elif kind == "literal_error":
        right = _choice(value, annotation, written) or right
    elif kind in _BOUNDS:
        right += _in_units(value, annotation, context)
    elif kind in ("model_type", "model_attributes_type"):
        right = _section(annotation) or right
    elif kind == "list_type" and isinstance(value, str | int | float) and value is not True:
        right = f"write a list, even for one item: [{_shown(value, written)}]"
    return Problem(key=key, value=_shown(value, written), wrong=wrong, right=right)


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


def _unit(annotation: Any) -> str | None:
    return next((each.name for each in marks(annotation) if isinstance(each, base.Unit)), None)


def _in_units(value: object, annotation: Any, context: Mapping[str, Any]) -> str:
    """The unit behind a bound, and what the number would be if another was meant."""
    unit = _unit(annotation)
    if unit is None:
        return ""
    most = context.get("le", 0)
    if unit == "seconds" and isinstance(value, float | int) and 100 <= value <= 1000 * most:
        return f" (seconds; {value:g} ms are {value / 1000:g})"
    return f" ({unit})"


def _without_quotes(text: str, annotation: Any) -> str | None:
    """For text where a number belongs: the number that it says, in the key's own unit."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
    if found is None:
        return None
    number, suffix = float(found[1]), found[2].lower()
    unit = _unit(annotation)
    if suffix and unit is not None:
        known = _SUFFIXES.get(unit, {})
        name = suffix if suffix in known else suffix[:1]
        if name not in known:
            return None
        return f"write {number * known[name]:.10g}, a number of {unit}"
    return None if suffix else f"write {found[1]} without quotes"


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
    if not isinstance(value, str) and text in valid:
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
    if not required:
        return None
    return f"write keys and values: {{ {', '.join(f'{name}: ...' for name in required)} }}"


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

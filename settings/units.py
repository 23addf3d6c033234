"""Numbers and their units: what somebody meant who wrote another one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from settings.models import base
from settings.shape import marks

_SUFFIXES: Final[dict[str, dict[str, float]]] = {
    "KiB": {"k": 1, "m": 1024, "g": 1024**2},
    "MiB": {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024**2},
    "GiB": {"m": 1 / 1024, "g": 1, "t": 1024},
    "seconds": {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400},
    "minutes": {"s": 1 / 60, "m": 1, "min": 1, "h": 60, "d": 1440},
    "hours": {"h": 1, "d": 24, "w": 168, "y": 8760},
    "days": {"h": 1 / 24, "d": 1, "w": 7, "y": 365},
    "milliseconds": {"ms": 1, "s": 1000},
    "thousandths of a core": {"m": 1},
    "percent": {"%": 1},
}
_LARGER: Final = {
    "KiB": ("MiB", 1024),
    "MiB": ("GiB", 1024),
    "milliseconds": ("s", 1000),
    "minutes": ("h", 60),
    "thousandths of a core": ("cores", 1000),
    "percent": ("of 1", 100),
}
"""The unit that a number may have been meant in, and how many of the key's own it has."""
_THOUSANDS: Final = {"k": 1000, "m": 1_000_000}
_SLIGHT: Final = 10
"""What is less was perhaps meant in the larger unit."""


def _unit(annotation: Any) -> str | None:
    return next((each.name for each in marks(annotation) if isinstance(each, base.Unit)), None)


def in_units(value: object, annotation: Any, context: Mapping[str, Any]) -> str:
    """The unit behind a bound, and what the number would be if another was meant."""
    unit = _unit(annotation)
    if unit is None:
        return ""
    most = context.get("le", 0)
    larger = _LARGER.get(unit)
    if larger is not None and isinstance(value, float | int) and 0 < value < _SLIGHT:
        return f" ({unit}; {value:g} {larger[0]} is {value * larger[1]:g})"
    if unit == "seconds" and isinstance(value, float | int) and 100 <= value <= 1000 * most:
        return f" (seconds; {value:g} ms are {value / 1000:g})"
    return f" ({unit})"


def without_quotes(text: str, annotation: Any) -> str | None:
    """For text where a number belongs: the number that it says, in the key's own unit."""
    if (alone := re.fullmatch(r"/([0-9]{1,9})|([0-9]{1,9})/(?:tcp|udp)", text)) is not None:
        return f"write {alone[1] or alone[2]}"
    unit = _unit(annotation)
    if unit == "seconds" and (seconds := _together(text)) is not None:
        return f"write {seconds}, a number of seconds"
    found = re.fullmatch(r"\s*([0-9]{1,300}(?:\.[0-9]+)?)\s*([A-Za-z%]{0,9})\s*", text)
    if found is None:
        return None
    number, suffix = float(found[1]), found[2].lower()
    known = _THOUSANDS if unit is None else _SUFFIXES.get(unit, {})
    name = suffix if suffix in known else suffix[:1]
    if not suffix:
        return f"write {found[1]} without quotes"
    if name not in known:
        return None
    return f"write {number * known[name]:.10g}" + (f", a number of {unit}" if unit else "")


def _together(text: str) -> int | None:
    """Of a duration in more than one unit, such as 1h30m or 1m30: its seconds."""
    found = re.fullmatch(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s?)?", text)
    given = [] if found is None else [int(each) if each else None for each in found.groups()]
    if sum(each is not None for each in given) < 2:
        return None
    return sum((each or 0) * size for each, size in zip(given, (3600, 60, 1), strict=True))


def number(kind: str, annotation: Any) -> str | None:
    """For text that is no number at all, where one of a unit belongs."""
    unit = _unit(annotation)
    whole = "whole number" if kind == "int_type" else "number"
    return None if unit is None else f"write a {whole} of {unit}"


def whole(value: float, annotation: Any, written: str | None) -> str:
    """For a fraction where a whole number belongs."""
    if written is not None and re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", written):
        together = f"write {written.replace('.', '')}"
        return f"{together}, or {value:.0f}" if value.is_integer() else together
    if value.is_integer():
        return f"write {value:.0f}"
    unit = _unit(annotation)
    if unit is None:
        return "write a whole number"
    larger = _LARGER.get(unit)
    meant = value * larger[1] if larger is not None else 0
    if larger is not None and 0 < value < _SLIGHT and meant == int(meant):
        return f"write {meant:g} for {value:g} {larger[0]}: it is a number of {unit}"
    return f"write a whole number of {unit}"

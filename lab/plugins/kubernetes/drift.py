"""What the live object means for the inputs: only what the program wrote counts (pure)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lab.plugins.kubernetes.objects import Obj, identifier, name_of, namespace_of

_QUANTITY: Final = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?")
_FACTORS: Final = {
    "": Decimal(1),
    **{
        sign: Decimal(10) ** power
        for sign, power in zip(
            ["n", "u", "m", "k", "M", "G", "T", "P", "E"],
            [-9, -6, -3, 3, 6, 9, 12, 15, 18],
            strict=True,
        )
    },
    **{f"{sign}i": Decimal(1024) ** (n + 1) for n, sign in enumerate("KMGTPE")},
}


def quantity(value: object) -> Decimal | None:
    """The number a Kubernetes quantity (`250m`, `1Gi`, 2) stands for, None when it is none.

    Source: apimachinery's resource.Quantity.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if not match:
        return None
    try:
        return Decimal(match.group(1)) * _FACTORS[match.group(2) or ""]
    except InvalidOperation:
        return None


def seen(inputs: Obj, live: Obj) -> Obj:
    """The inputs as the live object has them: a field that drifted gets its live value, one that
    is gone is left out, and what the program never wrote does not appear.

    The API server writes quantities in another form and turns a Secret's `stringData` into
    `data`; that is no drift.
    """
    found = _seen(inputs, live, ())
    assert isinstance(found, dict)
    written = inputs.get("stringData")
    if isinstance(written, Mapping) and inputs.get("kind") == "Secret":
        data = live.get("data") or {}
        found["stringData"] = {
            key: _decoded(data[key]) for key in written if isinstance(data, dict) and key in data
        }
    return found


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data).decode()
    except ValueError:
        return data


def _seen(wrote: Any, live: Any, at: tuple[str, ...]) -> Any:
    if isinstance(wrote, dict) and isinstance(live, dict):
        return {
            key: _seen(item, live[key], (*at, key)) if key in live else item
            for key, item in wrote.items()
            if key in live or _empty(item)
        }
    if isinstance(wrote, list) and isinstance(live, list):
        shared = [_seen(a, b, at) for a, b in zip(wrote, live, strict=False)]
        return shared + live[len(wrote) :] if _scalar(live) else shared
    if wrote == live and type(wrote) is type(live):
        return wrote
    if _measured(at) and quantity(wrote) is not None and quantity(wrote) == quantity(live):
        return wrote
    return live


def _empty(value: object) -> bool:
    """Whether the API server leaves such a value out."""
    return value is None or value in ({}, [], "", False, 0)


def _scalar(values: list[Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in values)


def _measured(at: tuple[str, ...]) -> bool:
    return any(part in {"limits", "requests", "capacity", "hard", "sizeLimit"} for part in at)


def id_of(live: Obj) -> str:
    return identifier(namespace_of(live), name_of(live))

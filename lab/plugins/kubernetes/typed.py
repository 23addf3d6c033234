"""Inputs checked against the SDK's own types, but for the constants its classes fix themselves."""

from __future__ import annotations

from typing import Final

from lab.plugins import schema
from lab.plugins.kubernetes.objects import Obj
from lab.plugins.server import CheckFailed

CONSTANTS: Final = frozenset({"apiVersion", "kind", "compat"})
"""Top-level properties that an SDK class writes itself, typed as one literal each."""


def check(sdk: str | None, inputs: Obj) -> None:
    """Raises CheckFailed naming every property the SDK class `module:Class` has not got, or has
    with another type. Nothing is checked without a class."""
    if sdk is None:
        return
    wrong = schema.problems(sdk, {k: v for k, v in inputs.items() if k not in CONSTANTS})
    if wrong:
        raise CheckFailed(wrong)

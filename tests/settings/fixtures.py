"""Fixture stacks: a base file and patches of it.

A patch file holds `set` (a pointer such as /routers/machines/0/lan to its new value; `-` appends),
`remove` (pointers), `replace` (pairs of text, before YAML is read) and, when it must be rejected,
`expect` (every error line, whole and in order).
"""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from settings.reader import Config, read_config

FIXTURES = Path(__file__).parent.parent / "fixtures"
BASE = FIXTURES / "accept" / "base.yaml"
NAMESPACE = "layered-cloud"


def base_config() -> dict[str, Any]:
    """The base stack's configuration, fresh."""
    return copy.deepcopy(_read(BASE.read_text(encoding="utf-8")))


@cache
def _read(text: str) -> Config:
    """Hundreds of fixtures begin with the same text."""
    return read_config(text, BASE.name)


def patches(kind: str) -> list[Path]:
    """The patch files of `accept` or `reject`."""
    return sorted(path for path in (FIXTURES / kind).glob("*.yaml") if path != BASE)


def patched(patch: dict[str, Any]) -> dict[str, Any]:
    """The base stack's configuration under a patch."""
    text = BASE.read_text(encoding="utf-8")
    for old, new in patch.get("replace", []):
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the base stack"
        text = text.replace(old, new)
    config = copy.deepcopy(_read(text))
    for pointer, value in patch.get("set", {}).items():
        holder, last = _find(config, pointer)
        if isinstance(holder, list) and last == "-":
            holder.append(value)
        elif isinstance(holder, list):
            holder[int(last)] = value
        else:
            holder[last] = value
    for pointer in patch.get("remove", []):
        holder, last = _find(config, pointer)
        del holder[int(last) if isinstance(holder, list) else last]
    return config


def read_patch(path: Path) -> dict[str, Any]:
    """A patch file's content."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(loaded) <= {"set", "remove", "replace", "expect"}, f"{path}: {sorted(loaded)}"
    return loaded


def _find(config: dict[str, Any], pointer: str) -> tuple[Any, str]:
    steps = pointer.removeprefix("/").split("/")
    steps = [step.replace("~1", "/") for step in steps]
    if ":" not in steps[0]:
        steps[0] = f"{NAMESPACE}:{steps[0]}"
    holder: Any = config
    for step in steps[:-1]:
        holder = holder[int(step) if isinstance(holder, list) else step]
    return holder, steps[-1]

"""Pieces of stack files in the documentation, held against the settings' models: laid over
Pulumi.lab.yaml, so that what a piece leaves out is there."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from settings.files import examine, read_config
from settings.problems import NAMESPACE
from settings.reference import every_key, find

LEFT_OUT = "…"
"""Stands for what the reader has: as a value, in one, or as a key for all that is beside it."""


def wrong(text: str, lab: str) -> Iterator[str]:
    """What is wrong with a piece: keys that no stack has, and values that the models refuse.

    `lab` is the text of the stack file that it is laid over. Checks of the whole stack are not
    asked: they would hold the piece against a datacentre that it was not written for.
    """
    try:
        piece = yaml.safe_load(text)
    except yaml.YAMLError as error:
        yield f"no YAML: {' '.join(str(error).split())}"
        return
    if not isinstance(piece, dict):
        yield "no piece of a stack file: it begins with a section, such as `routers:`"
        return
    piece = {str(name).removeprefix(f"{NAMESPACE}:"): value for name, value in piece.items()}
    unknown = list(_unknown(piece, ""))
    yield from unknown
    if not unknown:
        yield from _refused(piece, lab)


def _unknown(value: object, path: str) -> Iterator[str]:
    key = find(path) if path else None
    if key is not None and (key.free or key.model is None):
        return
    if isinstance(value, list):
        for each in value:
            yield from _unknown(each, f"{path}[]")
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        here = f"{path}.{name}" if path else str(name)
        if name == LEFT_OUT:
            continue
        if here.removesuffix("[]") not in every_key():
            yield f"{here} is no key of a stack"
        else:
            yield from _unknown(inner, here)


def _refused(piece: dict[str, Any], lab: str) -> Iterator[str]:
    config = read_config(lab, "Pulumi.lab.yaml")
    if LEFT_OUT in yaml.safe_dump(piece, allow_unicode=True):
        return
    for name, value in piece.items():
        key = f"{NAMESPACE}:{name}"
        config[key] = _over(config.get(key), value)
    found = examine(config)
    if found.stack is None:
        yield from map(str, found.problems)


def _over(below: Any, above: Any) -> Any:
    """Mappings are merged, everything else is replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return copy.deepcopy(above)
    return {**below, **{name: _over(below.get(name), value) for name, value in above.items()}}

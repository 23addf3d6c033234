"""Inputs checked against the SDK's own types, so that a stand-in accepts what the real provider's
schema accepts: an unknown property is an error that names it.

The types are read from the SDK by a process of its own (`sdk`), once for each version of the SDK,
and kept in the cache: a plugin that starts imports no SDK.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from lab.paths import CHECKOUT, cache_dir
from lab.plugins.diffing import text
from lab.plugins.wire import SIGNATURE, UNKNOWN
from lab.plugins.wire import Path as At

Problems: TypeAlias = Iterator[tuple[At, str]]
_PROVIDER_OWN = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "parameterization"})
_READING = threading.Lock()


@dataclass(frozen=True)
class Shape:
    """One kind of object: the type of each wire name (as `sdk` writes types), and which must be
    given."""

    name: str
    types: Mapping[str, Sequence[Any]]
    required: Sequence[str]


@dataclass(frozen=True)
class Schema:
    """A resource's or function's inputs, and the objects within."""

    root: Shape
    shapes: Mapping[str, Shape]


@functools.cache
def _read(reference: str, function: bool) -> Schema:
    kept = _kept(reference, function)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_name(f".{kept.name}.{os.getpid()}")
        fresh.write_text(_asked(reference, function))
        fresh.rename(kept)
    told = json.loads(kept.read_text())
    shapes = {key: Shape(**each) for key, each in told["shapes"].items()}
    return Schema(shapes[told["root"]], shapes)


def _kept(reference: str, function: bool) -> Path:
    """Where the description lies: another place for another SDK, and another way of reading it."""
    package = reference.partition(":")[0].partition(".")[0]
    reader = hashlib.sha256(Path(__file__).with_name("sdk.py").read_bytes()).hexdigest()[:12]
    kind = "function" if function else "inputs"
    return (
        cache_dir() / "schemas" / f"{package}-{version(package)}-{reader}"
        / f"{reference.replace(':', '.')}.{kind}.json"
    )  # fmt: skip


def _asked(reference: str, function: bool) -> str:
    argv = [sys.executable, "-m", "lab.plugins.sdk", *(["--function"] if function else [])]
    done = subprocess.run(
        [*argv, reference], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise LookupError(f"{reference}: {said[-1] if said else 'the SDK could not be read'}")
    return done.stdout


def _schema(reference: str, function: bool = False) -> Schema:
    with _READING:
        return _read(reference, function)


def problems(
    reference: str, properties: Mapping[str, Any], *, provider: bool = False
) -> dict[str, str]:
    """What is wrong with the inputs of the SDK resource `module:Class`: property path -> reason.

    Raises LookupError when the SDK has no such class.
    """
    own = _PROVIDER_OWN if provider else frozenset({"version", "pluginDownloadURL"})
    given = {key: value for key, value in properties.items() if key not in own}
    known = _schema(reference)
    found: dict[str, str] = {}
    for path, reason in _object(known, known.root, given, ()):
        found.setdefault(text(path), reason)
    return found


def _object(known: Schema, of: Shape, value: Mapping[str, Any], at: At) -> Problems:
    for key, item in value.items():
        if key.startswith("__"):
            continue
        if key not in of.types:
            yield (*at, key), _unknown(key, of)
        elif item is not None:
            yield from _value(known, of.types[key], item, (*at, key))
    for key in sorted(of.required):
        if value.get(key) is None:
            yield (*at, key), f"{of.name} needs it and it is missing"


def _unknown(key: str, of: Shape) -> str:
    folded = {name.lower(): name for name in of.types}
    near = [
        folded[name]
        for name in difflib.get_close_matches(key.replace("_", "").lower(), folded, n=3, cutoff=0.6)
    ]
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(sorted(of.types))}"
    return f"{of.name} has no such property; {hint}"


def _value(known: Schema, options: Sequence[Any], value: Any, at: At) -> Problems:
    if value is UNKNOWN or value is None or not options:
        return
    if len(options) == 1:
        yield from _one(known, options[0], value, at)
        return
    attempts = [list(_one(known, option, value, at)) for option in options]
    if not any(not attempt for attempt in attempts):
        yield from min(attempts, key=len)


def _one(known: Schema, wanted: Any, value: Any, at: At) -> Problems:
    if isinstance(value, Mapping) and SIGNATURE in value:
        return
    if isinstance(wanted, str):
        if wanted in _SIMPLE and not _SIMPLE[wanted](value):
            yield at, f"must be {_NAMES[wanted]}, not {_kind(value)}"
        return
    kind, of = wanted
    if kind == "enum":
        if value not in of:
            yield at, f"{value!r} is not one of {', '.join(map(repr, of))}"
    elif kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(known, of, item, (*at, index))
    elif kind == "list" or not isinstance(value, Mapping):
        name = f"an object ({known.shapes[of].name})" if kind == "object" else f"a {kind}"
        yield at, f"must be {name}, not {_kind(value)}"
    elif kind == "object":
        yield from _object(known, known.shapes[of], value, at)
    else:
        for key, item in value.items():
            yield from _value(known, of, item, (*at, key))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SIMPLE: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "float": _number,
    "int": lambda value: _number(value) and float(value).is_integer(),
}
_NAMES = {"str": "a string", "bool": "a boolean", "float": "a number", "int": "a whole number"}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


def decode_config(reference: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's configuration with the values that SDKs send as JSON text decoded.

    An SDK sends every provider property that is not a string as the JSON text of its value.
    Raises ValueError naming the property whose text is not JSON.
    """
    known = _schema(reference).root.types
    decoded: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, str) and key in known and "str" not in known[key]:
            try:
                decoded[key] = json.loads(value)
            except ValueError as error:
                raise ValueError(f"{key}: not the JSON text of a value: {error}") from error
        else:
            decoded[key] = value
    return decoded


def function_problems(reference: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the arguments of the SDK function `module:function`. Raises as `problems`
    does."""
    known = _schema(reference, function=True)
    of = known.root
    given = {
        key: value
        for key, value in arguments.items()
        if key not in _PROVIDER_OWN or key in of.types
    }
    return {text(path): reason for path, reason in _object(known, of, given, ())}

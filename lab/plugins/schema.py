"""Inputs checked against the SDK's own Python types.

A `pulumi_*` package describes every input as a class with typed getters; its wire names, its
types and which of them are required are read from there (`pulumi._types`), so that a stand-in
accepts what the real provider's schema accepts: an unknown property is an error that names it.
"""

from __future__ import annotations

import difflib
import enum
import functools
import importlib
import inspect
import json
import threading
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lab.plugins.diffing import text
from lab.plugins.wire import SIGNATURE, UNKNOWN, Path

_LOADING = threading.RLock()
"""SDK packages load their modules when first looked at, and not for two threads at once."""
Problems: TypeAlias = Iterator[tuple[Path, str]]
_PROVIDER_OWN = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "parameterization"})


@dataclass(frozen=True)
class Shape:
    """One input class: the type of each wire name, and which must be given."""

    name: str
    types: Mapping[str, Any]
    required: frozenset[str]


def load(reference: str) -> type:
    """The class that `module:Class` names. Raises ImportError or AttributeError."""
    module, _, name = reference.partition(":")
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, type), reference
    return found


@functools.cache
def args_of(reference: str) -> type:
    """The Args class of an SDK resource or provider given as `module:Class`."""
    resource = load(reference)
    module = importlib.import_module(resource.__module__)
    for suffix in ("InitArgs", "Args"):
        found = getattr(module, resource.__name__ + suffix, None)
        if isinstance(found, type):
            return found
    raise AttributeError(f"{reference}: the SDK has no Args class for it")


@functools.cache
def shape(cls: type) -> Shape:
    """The shape of an SDK input class (one decorated with `pulumi.input_type`)."""
    from pulumi import _types

    names = _types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls).parameters.values()
    required = {
        names[each.name]
        for each in parameters
        if each.kind is each.KEYWORD_ONLY and each.default is each.empty and each.name in names
    }
    known = dict(_types.input_type_types(cls))
    for name in names.values():
        known.setdefault(name, Any)
    return Shape(cls.__name__, known, frozenset(required))


def problems(
    reference: str, properties: Mapping[str, Any], *, provider: bool = False
) -> dict[str, str]:
    """What is wrong with the inputs of the SDK resource `module:Class`: property path -> reason."""
    own = _PROVIDER_OWN if provider else frozenset({"version", "pluginDownloadURL"})
    given = {key: value for key, value in properties.items() if key not in own}
    found: dict[str, str] = {}
    with _LOADING:
        for path, reason in _object(args_of(reference), given, ()):
            found.setdefault(text(path), reason)
    return found


def _object(cls: type, value: Mapping[str, Any], at: Path) -> Problems:
    of = shape(cls)
    for key, item in value.items():
        if key.startswith("__"):
            continue
        if key not in of.types:
            yield (*at, key), _unknown(key, of)
        elif item is not None:
            yield from _value(of.types[key], item, (*at, key))
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


def _value(wanted: Any, value: Any, at: Path) -> Problems:
    if value is UNKNOWN or value is None:
        return
    options = list(_options(wanted))
    if not options or Any in options or object in options:
        return
    if len(options) == 1:
        yield from _one(options[0], value, at)
        return
    attempts = [list(_one(option, value, at)) for option in options]
    if not any(not attempt for attempt in attempts):
        yield from min(attempts, key=len)


def _options(wanted: Any) -> Iterator[Any]:
    """The types a value may have: unions taken apart, awaitables and outputs left out."""
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        for each in typing.get_args(wanted):
            yield from _options(each)
        return
    from pulumi import _types

    name = getattr(origin or wanted, "__name__", "")
    if wanted is type(None) or name in ("Awaitable", "Output") or typing.is_typeddict(wanted):
        return
    if isinstance(wanted, type) and _types.is_output_type(wanted):
        return
    yield wanted


def _one(wanted: Any, value: Any, at: Path) -> Problems:
    from pulumi import _types

    origin = typing.get_origin(wanted)
    if isinstance(value, Mapping) and SIGNATURE in value:
        return
    if isinstance(wanted, type) and _types.is_input_type(wanted):
        if not isinstance(value, Mapping):
            yield at, f"must be an object ({wanted.__name__}), not {_kind(value)}"
        else:
            yield from _object(wanted, value, at)
    elif origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            yield at, f"must be a map, not {_kind(value)}"
            return
        for key, item in value.items():
            yield from _value(typing.get_args(wanted)[1], item, (*at, key))
    elif origin is not None and issubclass(origin, Sequence):
        if not isinstance(value, list):
            yield at, f"must be a list, not {_kind(value)}"
            return
        for index, item in enumerate(value):
            yield from _value(typing.get_args(wanted)[0], item, (*at, index))
    elif isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        yield from _among([member.value for member in wanted], value, at)
    elif wanted in _SIMPLE and not _SIMPLE[wanted](value):
        yield at, f"must be {_NAMES[wanted]}, not {_kind(value)}"


def _among(values: Sequence[Any], value: Any, at: Path) -> Problems:
    if value not in values:
        yield at, f"{value!r} is not one of {', '.join(map(repr, values))}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SIMPLE: dict[Any, typing.Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    float: _number,
    int: lambda value: _number(value) and float(value).is_integer(),
}
_NAMES = {str: "a string", bool: "a boolean", float: "a number", int: "a whole number"}


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
    with _LOADING:
        known = shape(args_of(reference)).types
    decoded: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, str) and key in known and str not in _options(known[key]):
            try:
                decoded[key] = json.loads(value)
            except ValueError as error:
                raise ValueError(f"{key}: not the JSON text of a value: {error}") from error
        else:
            decoded[key] = value
    return decoded


def function_problems(reference: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the arguments of the SDK function `module:function`."""
    with _LOADING:
        return _function_problems(reference, arguments)


def _function_problems(reference: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    module, _, name = reference.partition(":")
    function = getattr(importlib.import_module(module), name)
    hints = typing.get_type_hints(function)
    parameters = {
        _camel(each.name): each
        for each in inspect.signature(function).parameters.values()
        if each.name not in ("opts", "args")
    }
    required = frozenset(
        key for key, each in parameters.items() if each.default is inspect.Parameter.empty
    )
    of = Shape(name, {key: hints.get(each.name, Any) for key, each in parameters.items()}, required)
    found: dict[str, str] = {}
    for key, value in arguments.items():
        if key.startswith("__") or (key in _PROVIDER_OWN and key not in of.types):
            continue
        if key not in of.types:
            found[key] = _unknown(key, of)
        else:
            found.update({text(path): why for path, why in _value(of.types[key], value, (key,))})
    for key in of.required:
        if arguments.get(key) is None:
            found[key] = f"{name} needs it and it is missing"
    return found


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)

"""The inputs of SDK resources and functions as plain data, read from the SDKs' own Python types.

A `pulumi_*` package describes every input as a class with typed getters; its wire names, its types
and which of them are required are read from there (`pulumi._types`). To import such a package
takes seconds, so that this is a program of its own, whose answers `schema` keeps:

    python -m lab.plugins.sdk pulumi_command.remote:Command
    python -m lab.plugins.sdk --function pulumi_cloudflare.get_zone:get_zone

An answer is `{"root": NAME, "shapes": {NAME: {"name", "types": {WIRE NAME: TYPE}, "required"}}}`.
A TYPE is a list of what a value may be (empty: anything): `"str"`, `"bool"`, `"float"`, `"int"`,
`"other"`, `["object", NAME]`, `["map", TYPE]`, `["list", TYPE]`, `["enum", VALUES]`.
"""

from __future__ import annotations

import enum
import functools
import importlib
import inspect
import json
import sys
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pulumi import _types

Type: TypeAlias = list[Any]
_SIMPLE = {str: "str", bool: "bool", float: "float", int: "int"}


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


def describe(reference: str) -> dict[str, Any]:
    """The inputs of the SDK resource or provider `module:Class`."""
    shapes: dict[str, Any] = {}
    return {"root": _class(args_of(reference), shapes), "shapes": shapes}


def describe_function(reference: str) -> dict[str, Any]:
    """The arguments of the SDK function `module:function`."""
    module, _, name = reference.partition(":")
    function = getattr(importlib.import_module(module), name)
    hints = typing.get_type_hints(function)
    parameters = {
        _camel(each.name): each
        for each in inspect.signature(function).parameters.values()
        if each.name not in ("opts", "args")
    }
    shapes: dict[str, Any] = {}
    shapes[""] = {
        "name": name,
        "types": {
            key: _type(hints.get(each.name, Any), shapes) for key, each in parameters.items()
        },
        "required": sorted(
            key for key, each in parameters.items() if each.default is inspect.Parameter.empty
        ),
    }
    return {"root": "", "shapes": shapes}


def _class(cls: type, shapes: dict[str, Any]) -> str:
    key = f"{cls.__module__}:{cls.__qualname__}"
    if key not in shapes:
        of = shape(cls)
        shapes[key] = {}  # a class may hold itself
        shapes[key] = {
            "name": of.name,
            "types": {name: _type(wanted, shapes) for name, wanted in of.types.items()},
            "required": sorted(of.required),
        }
    return key


def _type(wanted: Any, shapes: dict[str, Any]) -> Type:
    options = list(_options(wanted))
    if Any in options or object in options:
        return []
    return [_one(option, shapes) for option in options]


def _options(wanted: Any) -> Iterator[Any]:
    """The types a value may have: unions taken apart, awaitables and outputs left out."""
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        for each in typing.get_args(wanted):
            yield from _options(each)
        return
    name = getattr(origin or wanted, "__name__", "")
    if wanted is type(None) or name in ("Awaitable", "Output") or typing.is_typeddict(wanted):
        return
    if isinstance(wanted, type) and _types.is_output_type(wanted):
        return
    yield wanted


def _one(wanted: Any, shapes: dict[str, Any]) -> Any:
    origin = typing.get_origin(wanted)
    if isinstance(wanted, type) and _types.is_input_type(wanted):
        return ["object", _class(wanted, shapes)]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return ["map", _type(typing.get_args(wanted)[1], shapes)]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return ["list", _type(typing.get_args(wanted)[0], shapes)]
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return ["enum", [member.value for member in wanted]]
    return _SIMPLE.get(wanted, "other")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def main(argv: Sequence[str]) -> None:
    """Prints the description of one resource or function as JSON."""
    told = describe_function(argv[1]) if argv[0] == "--function" else describe(argv[0])
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])

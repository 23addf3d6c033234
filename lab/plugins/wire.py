"""Property values as the ResourceProvider protocol carries them, to Python and back.

The protocol sends a `google.protobuf.Struct` in which secrets are maps with a signature key and
unknowns are a well-known string (pulumi `sdk/proto`, "property values"). Here an unknown is the
one object `UNKNOWN`, a secret is `Secret(value)`, and a whole number is an `int`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXTS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string; the engine reads any of them as unknown
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

Struct: TypeAlias = Any
"""A `google.protobuf.Struct`; the package carries no types."""
_pb: Any = struct_pb2
Path: TypeAlias = tuple[str | int, ...]


class Unknown:
    """A value that is not known before the update runs. There is one: `UNKNOWN`."""

    _only: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth: compare with `is UNKNOWN`")

    def __deepcopy__(self, _memo: object) -> Unknown:
        return self

    def __copy__(self) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A secret value; its text form hides it."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


def decode(struct: Struct) -> dict[str, Any]:
    """The properties of a Struct; secrets stay wrapped in `Secret`."""
    return {key: _decode_value(value) for key, value in struct.fields.items()}


def _decode_value(value: Any) -> Any:  # noqa: PLR0911
    kind = value.WhichOneof("kind")
    if kind == "null_value" or kind is None:
        return None
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWN_TEXTS else value.string_value
    if kind == "list_value":
        return [_decode_value(item) for item in value.list_value.values]
    fields = decode(value.struct_value)
    signature = fields.get(SIGNATURE)
    if signature == SECRET_SIGNATURE:
        return Secret(fields.get("value"))
    if signature == OUTPUT_SIGNATURE:
        inner = fields.get("value", UNKNOWN)
        return Secret(inner) if fields.get("secret") else inner
    return fields


def encode(properties: Mapping[str, Any]) -> Struct:
    """A Struct of the properties. Raises TypeError for a value the protocol has no form for."""
    struct = _pb.Struct()
    for key, value in properties.items():
        struct.fields[key].CopyFrom(_encode_value(value))
    return struct


def _encode_value(value: Any) -> Any:  # noqa: PLR0911
    if value is UNKNOWN:
        return _pb.Value(string_value="04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    if isinstance(value, Secret):
        return _encode_value({SIGNATURE: SECRET_SIGNATURE, "value": value.value})
    if value is None:
        return _pb.Value(null_value=_pb.NULL_VALUE)
    if isinstance(value, bool):
        return _pb.Value(bool_value=value)
    if isinstance(value, int | float):
        return _pb.Value(number_value=value)
    if isinstance(value, str):
        return _pb.Value(string_value=value)
    if isinstance(value, Mapping):
        return _pb.Value(struct_value=encode(value))
    if isinstance(value, Sequence):
        items = [_encode_value(item) for item in value]
        return _pb.Value(list_value=_pb.ListValue(values=items))
    raise TypeError(f"a property cannot be a {type(value).__name__}")


def reveal(value: Any) -> Any:
    """A deep copy of the value with every `Secret` opened."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, Mapping):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def secret_paths(value: Any, at: Path = ()) -> set[Path]:
    """Where the secrets are, outermost only."""
    if isinstance(value, Secret):
        return {at}
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return set().union(*(secret_paths(item, (*at, key)) for key, item in items))


def conceal(value: Any, paths: set[Path], at: Path = ()) -> Any:
    """A copy of the value with `Secret` around what lies at the paths (absent ones are ignored)."""
    if at in paths and not isinstance(value, Secret):
        return Secret(reveal(value))
    if isinstance(value, Mapping):
        return {key: conceal(item, paths, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [conceal(item, paths, (*at, index)) for index, item in enumerate(value)]
    return value

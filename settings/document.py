"""The reference of a stack file's keys in Markdown, made from the models.

docs/settings.md carries it between two marks; a test compares the two.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from settings.keys import SECRETS
from settings.models.addresses import Address, Address6, Subnet, Subnet6
from settings.models.base import Unit
from settings.models.stack import Stack
from settings.problems import NAMESPACE, shorten

BEGIN: Final = "<!-- keys: made by `python -m settings tables` -->"
END: Final = "<!-- end of keys -->"

_WORDS: Final = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true or false",
    "Any": "anything",
}


def tables() -> str:
    """One table a section, then one for each model that several sections share."""
    shared: dict[str, type[BaseModel]] = {}
    parts: list[str] = []
    for name, field in Stack.model_fields.items():
        rows = list(_rows(name, field, shared))
        parts.append(_table(f"## {NAMESPACE}:{name}", str(field.description), rows))
    secret_rows = [
        f"| `{NAMESPACE}:{name}` | {meaning[0].upper()}{meaning[1:]}. |"
        for name, meaning in SECRETS.items()
    ]
    done: set[str] = set()
    while todo := [name for name in shared if name not in done]:
        for name in todo:
            done.add(name)
            model = shared[name]
            rows = [
                row
                for key, field in model.model_fields.items()
                for row in _rows(key, field, shared)
            ]
            parts.append(_table(f"## {_title(model)}", _cell(model.__doc__), rows))
    parts.append("\n".join(["## Secrets", "", "| key | what it is |", "|---|---|", *secret_rows]))
    return "\n\n".join(parts) + "\n"


def _table(heading: str, meaning: str, rows: list[str]) -> str:
    head = [heading, "", meaning, "", "| key | value | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _rows(path: str, field: FieldInfo, shared: dict[str, type[BaseModel]]) -> Iterator[str]:
    model, is_list = _model(field.annotation)
    here = f"{path}[]" if is_list else path
    if model is None or model.__name__ in _SHARED:
        if model is None:
            kind = kind_of(field.annotation) + _unit(field.metadata)
        else:
            shared.setdefault(model.__name__, model)
            kind = f"[{_title(model)}](#{_title(model).replace(' ', '-')})"
            kind = f"list of {kind}" if is_list else kind
        yield f"| `{path}` | {kind} | {default_of(field)} | {_cell(field.description)} |"
        return
    if "." in path or is_list:
        kind = "list" if is_list else "section"
        yield f"| `{path}` | {kind} | {default_of(field)} | {_cell(field.description)} |"
    for name, inner in model.model_fields.items():
        yield from _rows(f"{here}.{name}", inner, shared)


_SHARED: Final = {
    "MachineSpec": "a machine",
    "Chart": "a chart",
    "Vrrp": "failover timers",
    "AptRepository": "an apt repository",
    "Segment": "a segment",
    "Image": "an image",
}
"""Models that stand in several places, and what each is called on the page."""


def _title(model: type[BaseModel]) -> str:
    return _SHARED[model.__name__]


def plain(text: str | None) -> str:
    """A docstring on one line."""
    return " ".join((text or "").split())


def _cell(text: str | None) -> str:
    return plain(text).replace("|", "\\|")


def default_of(field: FieldInfo) -> str:
    """What stands where the key does not, or `required`; in Markdown."""
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its defaults"
    if value in (None, [], {}):
        return {"None": "null", "[]": "`[]`", "{}": "`{}`"}[str(value)]
    return f"`{shorten(value)}`"


def _model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list:
        return _model(arguments[0])[0], True
    if origin in (Annotated, Union, types.UnionType):
        for argument in arguments:
            found, is_list = _model(argument)
            if found is not None:
                return found, is_list
    return None, False


def kind_of(annotation: Any) -> str:
    """What a person would call the values that a key takes; in Markdown. `KeyError` for a model."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(arguments[0]) + _unit(arguments[1:])
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if origin in (Union, types.UnionType):
        kinds = ["null" if each is type(None) else kind_of(each) for each in arguments]
        return " or ".join(dict.fromkeys(kinds))
    if origin is list:
        return f"list of {kind_of(arguments[0])}"
    if origin is dict:
        return f"mapping of {kind_of(arguments[1])}"
    return _word(annotation)


def _unit(metadata: Iterable[Any]) -> str:
    """What a number counts, in brackets; nothing where the arguments of `Annotated` say none."""
    return "".join(f" ({each.name})" for each in metadata if isinstance(each, Unit))


def _word(annotation: Any) -> str:
    for alias, word in (
        (Address, "address"),
        (Subnet, "network"),
        (Address6, "IPv6 address"),
        (Subnet6, "IPv6 network"),
    ):
        if annotation in (written := get_args(alias)[0], *get_args(written)):
            return word
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    last = str(name).rpartition(".")[2]
    if last not in _WORDS:
        raise KeyError(
            f"no word for a key of type {last}: add one to _WORDS in settings/document.py, or to "
            "_SHARED there for a model that stands in several places"
        )
    return _WORDS[last]

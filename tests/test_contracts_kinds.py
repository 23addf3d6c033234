"""Every kind a stack can choose has one table of ways to fill it, and every way is whole.

A kind is a setting called `kind` with a fixed choice of words; its table is a mapping of the same
words, somewhere in the layer of that section.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from settings.checks import balancers_reach, platform_ingress, routers_kind
from settings.models import (
    Stack,
    cdn,
    cert_manager,
    delivery,
    mesh,
    monitoring,
    platform_logging,
    storage,
)
from tests import whole

LAYERS: Mapping[str, str] = {"balancers": "loadbalancers"}
"""The layer of a section, where it is not called like it."""


@dataclass(frozen=True)
class Kind:
    """A setting by its path, and the words it can have."""

    path: str
    words: frozenset[str]

    @property
    def layer(self) -> str:
        section = self.path.split(".")[0]
        return f"components.{LAYERS.get(section, section)}"


def kinds(model: type[BaseModel] = Stack, path: str = "") -> Iterator[Kind]:
    """Every setting called `kind`, wherever it is in the model."""
    for name, field in model.model_fields.items():
        below = f"{path}.{name}" if path else name
        for each in _within(field.annotation):
            if name == "kind" and typing.get_origin(each) is Literal:
                yield Kind(below, frozenset(typing.get_args(each)))
            elif isinstance(each, type) and issubclass(each, BaseModel):
                yield from kinds(each, below)


def _within(annotation: Any) -> Iterator[Any]:
    """An annotation and what it is made of (`list[X]`, `X | None`, `Annotated[X, …]`)."""
    yield annotation
    if typing.get_origin(annotation) is not Literal:
        for each in typing.get_args(annotation):
            yield from _within(each)


def tables(kind: Kind) -> dict[int, tuple[str, Mapping[str, Any]]]:
    """The tables of a layer that have one of the kind's words, each once, with where it is."""
    found: dict[int, tuple[str, Mapping[str, Any]]] = {}
    for module in whole.modules():
        if f"{module.__name__}.".startswith(f"{kind.layer}."):
            for name, value in vars(module).items():
                if name.isupper() and isinstance(value, Mapping) and kind.words & set(value):
                    found.setdefault(id(value), (f"{module.__name__}.{name}", value))
    return found


def lacks(value: object) -> list[str]:
    """Fields of a dataclass that are empty though they have no default; a function without a
    docstring lacks that."""
    if dataclasses.is_dataclass(value):
        return [
            field.name
            for field in dataclasses.fields(value)
            if field.default is dataclasses.MISSING
            and field.default_factory is dataclasses.MISSING
            and getattr(value, field.name) in (None, "", (), {}, [])
        ]
    return [] if getattr(value, "__doc__", None) else ["a docstring"]


each_kind = pytest.mark.parametrize("kind", sorted(kinds(), key=str), ids=lambda kind: kind.path)


def test_kinds_are_found_by_walking_the_model() -> None:
    assert {"cdn.kind", "platform.ingress.kind", "routers.kind"} <= {each.path for each in kinds()}


@each_kind
def test_a_kind_has_one_table_with_its_words(kind: Kind) -> None:
    found = {where: set(table) for where, table in tables(kind).values()}
    assert list(found.values()) == [kind.words], (
        f"{kind.path} can be {sorted(kind.words)}; of such tables {kind.layer} has {found}"
    )


RULED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "balancers.reach.kind": (
        "REACHES in settings/checks/balancers_reach.py",
        balancers_reach.REACHES,
    ),
    "cdn.kind": ("CDN_KINDS in settings/models/cdn.py", cdn.CDN_KINDS),
    "platform.cert_manager.issuers.kind": (
        "ISSUER_KINDS in settings/models/cert_manager.py",
        cert_manager.ISSUER_KINDS,
    ),
    "platform.monitoring.receivers.kind": (
        "RECEIVER_KINDS in settings/models/monitoring.py",
        monitoring.RECEIVER_KINDS,
    ),
    "platform.logging.store.kind": (
        "STORE_KINDS in settings/models/platform_logging.py",
        platform_logging.STORE_KINDS,
    ),
    "platform.delivery.kind": (
        "DELIVERY_KINDS in settings/models/delivery.py",
        delivery.DELIVERY_KINDS,
    ),
    "platform.mesh.kind": (
        "MESH_KINDS in settings/models/mesh.py",
        mesh.MESH_KINDS,
    ),
    "platform.storage.kind": (
        "STORAGE_KINDS in settings/models/storage.py",
        storage.STORAGE_KINDS,
    ),
    "platform.ingress.kind": (
        "INGRESS in settings/checks/platform_ingress.py",
        platform_ingress.INGRESS,
    ),
    "routers.kind": ("KINDS in settings/checks/routers_kind.py", routers_kind.KINDS),
}
"""Where the settings say, for each kind, what each of its words asks of a stack."""


@each_kind
def test_the_settings_know_what_each_word_asks_of_a_stack(kind: Kind) -> None:
    assert kind.path in RULED, f"{kind.path}: what differs by its words is a table in the settings"
    where, table = RULED[kind.path]
    lacking = [f"{word}: add its row to {where}" for word in kind.words if word not in table]
    assert lacking == []
    assert set(table) == kind.words, where


@each_kind
def test_every_way_to_fill_a_kind_is_whole(kind: Kind) -> None:
    for where, table in tables(kind).values():
        assert {word: lacks(way) for word, way in table.items() if lacks(way)} == {}, where
        types = {"callable" if callable(way) else type(way).__name__ for way in table.values()}
        assert len(types) == 1, f"{where} mixes {types}"


@dataclass(frozen=True)
class _Way:
    name: str
    port: int | None
    note: str = ""


def test_what_a_way_lacks_is_told() -> None:
    assert lacks(_Way(name="", port=None)) == ["name", "port"]
    assert lacks(_Way(name="it", port=0)) == []
    assert lacks(lambda: None) == ["a docstring"]

"""Every key that a stack file may hold, as one list of paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from settings.models.stack import Stack
from settings.problems import NAMESPACE
from settings.shape import alternatives, hints, is_list, model_of

_INDEX: Final = re.compile(r"\[\d*\]")


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key: its path with `[]` for the items of a list, such as `routers.vips[].wan_vrid`, the
    annotation with all that stands in it, and the model's own field."""

    path: str
    annotation: Any
    field: FieldInfo

    @property
    def model(self) -> type[BaseModel] | None:
        """What its value, or each item of it, is a section of."""
        return model_of(self.annotation)

    @property
    def items(self) -> str:
        """What the keys below it begin with."""
        return f"{self.path}[]" if is_list(self.annotation) else self.path

    @property
    def free(self) -> bool:
        """Whether the names below it are the stack's own."""
        return any(
            each is Any or get_origin(each) is dict for each in alternatives(self.annotation)
        )


@cache
def every_key() -> Mapping[str, Key]:
    """Path to key, in the order of the sections; secrets are in `settings.keys.SECRETS`."""
    return {each.path: each for each in _keys(Stack, "")}


def _keys(model: type[BaseModel], before: str) -> Iterator[Key]:
    for name, annotation in hints(model).items():
        key = Key(path=f"{before}{name}", annotation=annotation, field=model.model_fields[name])
        yield key
        if key.model is not None:
            yield from _keys(key.model, f"{key.items}.")


def bare(written: str) -> str:
    """A key as somebody writes it, as it stands in the list: no namespace, no index numbers."""
    return _INDEX.sub("[]", written.strip().removeprefix(f"{NAMESPACE}:"))


def find(written: str) -> Key | None:
    """The key that is meant; below a mapping whose names are the stack's own, the mapping."""
    keys, path = every_key(), bare(written)
    if (exact := keys.get(path) or keys.get(path.removesuffix("[]"))) is not None:
        return exact
    here = path
    while "." in here:
        here = here.rpartition(".")[0]
        if (above := keys.get(here.removesuffix("[]"))) is not None:
            return above if above.free else None
    return None

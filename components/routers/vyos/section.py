"""A piece of a VyOS configuration: what it says, and what it says alone. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Section:
    """Paths of the configuration that are `owned`, whatever else is below them goes; and `lines`,
    paths with their values, as `show configuration commands` writes them without `set`."""

    owned: tuple[str, ...]
    lines: tuple[str, ...]


def line(*words: object) -> str:
    """A path, with its value last; a word is quoted where a shell would take it apart."""
    return shlex.join(map(str, words))


def under(path: str, *settings: Sequence[object]) -> Iterator[str]:
    """Several settings of one path, each a path below it with its value."""
    for words in settings:
        yield f"{path} {line(*words)}"


def each(path: str, values: Iterable[object]) -> Iterator[str]:
    """One path with several values."""
    for value in values:
        yield f"{path} {line(value)}"

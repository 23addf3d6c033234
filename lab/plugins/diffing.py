"""What changed between old inputs and new ones, per nested property, and what that means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from lab.plugins.wire import UNKNOWN, Path

Kind: TypeAlias = Literal[
    "add", "add-replace", "delete", "delete-replace", "update", "update-replace"
]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PART = re.compile(r"""\[\s*(?:"((?:[^"\\]|\\.)*)"|(\d+|\*))\s*\]|\.?([^.\[\]]+)""")


@dataclass
class Diff:
    """Changes by property path (`disks[0].size`); empty when nothing changed."""

    changes: dict[str, Kind] = field(default_factory=dict)
    delete_before_replace: bool = False

    @property
    def replaces(self) -> list[str]:
        """The paths whose change replaces."""
        return [path for path, kind in self.changes.items() if kind.endswith("-replace")]


def compare(
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    *,
    replace_on: Iterable[str] = (),
    ignore: Iterable[str] = (),
    delete_before_replace: bool = False,
) -> Diff:
    """The difference. An unknown new value counts as changed. A missing property, null and
    nothing are the same."""
    ignored = [parse(pattern) for pattern in ignore]
    replacing = [parse(pattern) for pattern in replace_on]
    diff = Diff(delete_before_replace=delete_before_replace)
    for path, kind in _walk(olds, news, ()):
        if any(_covers(pattern, path) for pattern in ignored):
            continue
        replace = any(_covers(pattern, path) or _covers(path, pattern) for pattern in replacing)
        diff.changes[text(path)] = f"{kind}-replace" if replace else kind  # type: ignore[assignment]
    return diff


def _walk(
    old: Any, new: Any, at: Path
) -> Iterator[tuple[Path, Literal["add", "delete", "update"]]]:
    if old is None and new is None:
        return
    if old is None:
        yield at, "add"
    elif new is None:
        yield at, "delete"
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _walk(old.get(key), new.get(key), (*at, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _walk(
                old[index] if index < len(old) else None,
                new[index] if index < len(new) else None,
                (*at, index),
            )
    elif new is UNKNOWN or old is UNKNOWN or not _same(old, new):
        yield at, "update"


def _same(old: Any, new: Any) -> bool:
    numbers = (int, float)
    if type(old) in numbers and type(new) in numbers:
        return bool(old == new)
    return type(old) is type(new) and bool(old == new)


def text(path: Path) -> str:
    """A property path as Pulumi writes it: `a.b[0]["odd.key"]`."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            out += f".{part}" if out else part
        else:
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            out += f'["{escaped}"]'
    return out


def parse(path: str) -> Path:
    """The parts of a written property path; `*` stays `"*"`."""
    parts: list[str | int] = []
    for quoted, index, plain in _PART.findall(path):
        if quoted:
            parts.append(re.sub(r"\\(.)", r"\1", quoted))
        elif index:
            parts.append("*" if index == "*" else int(index))
        else:
            parts.append(plain)
    return tuple(parts)


def _covers(pattern: Path, path: Path) -> bool:
    if len(pattern) > len(path):
        return False
    return all("*" in (want, got) or want == got for want, got in zip(pattern, path, strict=False))

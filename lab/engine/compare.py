"""The difference between two plans of one stack: what a pull request would change.

Both plans are made against an empty state, so each is the whole of what the program declares; a
resource is the same one in both when its URN is.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.plugins.diffing import compare, parse
from lab.plugins.wire import UNKNOWN_TEXTS

_OPTIONS = ("parent", "protect", "deletedWith", "retainOnDelete", "dependencies", "aliases")
_LONGEST = 160
_MOST_LINES = 60


@dataclass(frozen=True)
class Declared:
    """A resource as a plan declares it."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One changed property: `old` or `new` is None where it is absent."""

    path: str
    old: Any
    new: Any


@dataclass
class PlanDifference:
    """Resources only in the new plan, only in the old one, and in both but different."""

    added: list[Declared] = field(default_factory=list)
    removed: list[Declared] = field(default_factory=list)
    changed: dict[str, list[Change]] = field(default_factory=dict)
    same: int = 0
    names: dict[str, Declared] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """True when both plans declare the same."""
        return not (self.added or self.removed or self.changed)

    def as_json(self) -> dict[str, Any]:
        """Machine-readable: URNs, and property paths with both values."""
        return {
            "added": [each.urn for each in self.added],
            "removed": [each.urn for each in self.removed],
            "changed": {
                urn: [{"path": each.path, "old": each.old, "new": each.new} for each in changes]
                for urn, changes in self.changed.items()
            },
            "same": self.same,
        }


def declared(steps: Mapping[str, Any]) -> dict[str, Declared]:
    """The resources of a plan (the engine's JSON preview) by URN, the stack itself left out."""
    found: dict[str, Declared] = {}
    for step in steps.get("steps", ()):
        state = step.get("newState") or {}
        urn, kind = step["urn"], state.get("type", "")
        if not state or kind == "pulumi:pulumi:Stack":
            continue
        options = {key: state[key] for key in _OPTIONS if state.get(key)}
        # A set: the program's parallel registrations give it in any order.
        options["dependencies"] = sorted(options.get("dependencies", ()))
        options["provider"] = str(state.get("provider", "")).rsplit("::", 1)[0]
        found[urn] = Declared(
            urn, kind, urn.rsplit("::", 1)[-1], _readable(state.get("inputs") or {}), options
        )
    return found


def _readable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _readable(item) for key, item in value.items() if key != "__defaults"}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return "(known after the update)" if value in UNKNOWN_TEXTS else value


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> PlanDifference:
    """What changes from one plan to the other; both as the engine's JSON preview."""
    before, after = declared(old), declared(new)
    result = PlanDifference(names={**before, **after})
    result.removed = [each for urn, each in before.items() if urn not in after]
    for urn, each in after.items():
        if urn not in before:
            result.added.append(each)
            continue
        changes = [
            *_changes(before[urn].inputs, each.inputs, ""),
            *_changes(before[urn].options, each.options, "options."),
        ]
        if changes:
            result.changed[urn] = changes
        else:
            result.same += 1
    return result


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str) -> Iterable[Change]:
    for path in compare(old, new).changes:
        yield Change(prefix + path, _at(old, path), _at(new, path))


def _at(value: Any, path: str) -> Any:
    for part in parse(path):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def markdown(difference: PlanDifference, *, stack: str, base: str) -> str:
    """The difference as a comment on a pull request."""
    counts = (len(difference.added), len(difference.removed), len(difference.changed))
    lines = [
        f"### Plan of `{stack}` against `{base}`",
        "",
        "**{} added, {} removed, {} changed**, {} unchanged".format(*counts, difference.same),
    ]
    if difference.empty:
        return "\n".join([*lines, "", "Both revisions declare the same resources."])
    for title, members in (("Removed", difference.removed), ("Added", difference.added)):
        if members:
            lines += ["", f"#### {title}", ""]
            lines += [f"- `{each.name}` ({each.type})" for each in members]
    if difference.changed:
        lines += ["", "#### Changed"]
        for urn, changes in difference.changed.items():
            each = difference.names[urn]
            lines += ["", f"`{each.name}` ({each.type})", "", "```diff"]
            for change in changes:
                lines += _shown(change)
            lines.append("```")
    return "\n".join(lines)


def _shown(change: Change) -> list[str]:
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        diff = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
        body = [line for line in diff if not line.startswith(("---", "+++"))]
        cut = [f"… {len(body) - _MOST_LINES} more lines"] if len(body) > _MOST_LINES else []
        return [f"@@ {change.path} @@", *body[:_MOST_LINES], *cut]
    lines = [f"@@ {change.path} @@"]
    if change.old is not None:
        lines.append(f"- {_short(change.old)}")
    if change.new is not None:
        lines.append(f"+ {_short(change.new)}")
    return lines


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.replace("\n", "\\n")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""What a plan says, read from the engine's JSON (`pulumi preview --json`): resources and changes.

Plain functions over plain values. A secret is `[secret]` there, and a value that is not known yet
is one of seven texts; it is absent here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policy.rules import Resource

UNKNOWN: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""The engine's texts for a value that is not known yet, one a type (pulumi's
`sdk/go/common/resource/plugin/rpc.go`)."""
GOES: Final = ("replaced", "deleted")
"""What ends the life of a resource."""
_DID: Final = {"create": "created", "delete": "deleted", "update": "updated", "import": "created"}
_REPLACING: Final = {"replace", "create-replacement", "delete-replaced"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a plan does to one resource.

    `did` is created, replaced, deleted, updated or same. `old` and `new` are the resource before
    and after, as far as there is one. `paths` are the properties that differ, as the engine names
    them: those that make it a replacement, when it is one.
    """

    did: str
    urn: str
    old: Resource | None
    new: Resource | None
    paths: tuple[str, ...] = ()

    @property
    def resource(self) -> Resource:
        """The resource after the change, or what there was of it."""
        found = self.new or self.old
        if found is None:
            raise ValueError(f"{self.urn}: a change of nothing")
        return found


def changes(plan: Mapping[str, Any]) -> list[Change]:
    """Every resource of a plan with what is done to it, in the order of its first step."""
    steps: dict[str, list[Mapping[str, Any]]] = {}
    for step in plan.get("steps") or ():
        if step.get("newState") or step.get("oldState"):
            steps.setdefault(step["urn"], []).append(step)
    return [_change(urn, of_one) for urn, of_one in steps.items()]


def resources(plan: Mapping[str, Any]) -> list[Resource]:
    """The resources that there are after a plan."""
    return [each.new for each in changes(plan) if each.new is not None]


def _change(urn: str, steps: Sequence[Mapping[str, Any]]) -> Change:
    ops = [step["op"] for step in steps]
    replaced = not _REPLACING.isdisjoint(ops) or {"create", "delete"} <= set(ops)
    did = "replaced" if replaced else next((_DID[op] for op in ops if op in _DID), "same")
    old = next((step["oldState"] for step in steps if step.get("oldState")), None)
    new = next((step["newState"] for step in steps if step.get("newState")), None)
    if did == "deleted":
        new = None
    elif did == "created":
        old = None
    return Change(
        did=did,
        urn=urn,
        old=old and _resource(urn, old),
        new=new and _resource(urn, new),
        paths=tuple(sorted(set(_paths(steps, replaced=replaced)))),
    )


def _paths(steps: Sequence[Mapping[str, Any]], *, replaced: bool) -> Iterator[str]:
    """The properties that differ; of a replacement those that make it one, if any are named."""
    reasons = [each for step in steps for each in step.get("replaceReasons") or ()]
    if replaced and reasons:
        yield from reasons
        return
    for step in steps:
        yield from step.get("diffReasons") or step.get("detailedDiff") or ()


def _resource(urn: str, state: Mapping[str, Any]) -> Resource:
    known = _known(state.get("inputs") or {})
    return Resource(
        type=state["type"],
        name=urn.rsplit("::", 1)[-1],
        properties=known,
        shown=known,
        protect=bool(state.get("protect")),
    )


def _known(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _known(each)
            for key, each in value.items()
            if key != "__defaults" and not _is_unknown(each)
        }
    if isinstance(value, list):
        return [None if _is_unknown(each) else _known(each) for each in value]
    return value


def _is_unknown(value: Any) -> bool:
    return isinstance(value, str) and value in UNKNOWN

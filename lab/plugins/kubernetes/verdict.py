"""A judgement over a live object: ready or not, and the waits that a program writes itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from lab.plugins.kubernetes.objects import WAIT_FOR, Gvk, Obj, items, pluck
from lab.plugins.server import CheckFailed


@dataclass(frozen=True)
class Verdict:
    """`ready`, or not with `waiting_for`; `failed` when it will never be. `settles` says that it
    counts as ready when nothing changes for that many seconds."""

    ready: bool = False
    waiting_for: str = ""
    failed: bool = False
    settles: float | None = None


READY: Final = Verdict(ready=True)

Around: TypeAlias = Mapping[Gvk, Sequence[Obj]]
"""The other objects of the namespace that a judgement needs, by kind."""


class Judge(Protocol):
    """Judges a live object; `before` is the object as it was before an update, None when new."""

    def __call__(self, live: Obj, around: Around, before: Obj | None) -> Verdict: ...


@dataclass(frozen=True)
class Wait:
    """A judgement and the kinds of objects it looks at besides the object itself."""

    judge: Judge
    needs: tuple[Gvk, ...] = ()


def waiting(reason: str) -> Verdict:
    """Not ready yet, and for what."""
    return Verdict(waiting_for=reason)


def condition(live: Obj, type_: str) -> Mapping[str, Any]:
    """The condition of a type in the status, empty when it is not reported."""
    for each in items(live, "status", "conditions"):
        if isinstance(each, Mapping) and each.get("type") == type_:
            return each
    return {}


_JSONPATH = re.compile(r"jsonpath=\{((?:\.[A-Za-z0-9_-]+)+)\}(?:=(.*))?", re.DOTALL)


def custom_wait(expression: str) -> Judge:
    """The judgement a `pulumi.com/waitFor` annotation asks for: `condition=TYPE[=STATUS]`,
    `jsonpath={.a.b}[=VALUE]` with plain names, or a JSON list of these, all to be met.

    Raises CheckFailed for anything else.
    """
    try:
        listed = json.loads(expression)
    except ValueError:
        listed = [expression]
    tests = [_test(str(each)) for each in (listed if isinstance(listed, list) else [expression])]

    def judge(live: Obj, around: Around, before: Obj | None) -> Verdict:
        unmet = [what for what, met in tests if not met(live)]
        return waiting(", ".join(unmet)) if unmet else READY

    return judge


def _test(expression: str) -> tuple[str, Callable[[Obj], bool]]:
    if expression.startswith("condition="):
        type_, _, status = expression.removeprefix("condition=").partition("=")
        wanted = (status or "True").lower()
        return expression, lambda live: condition(live, type_).get("status", "").lower() == wanted
    match = _JSONPATH.fullmatch(expression)
    if not match:
        raise CheckFailed(
            {
                f'metadata.annotations["{WAIT_FOR}"]': f"{expression!r} is not understood; use "
                "condition=TYPE, condition=TYPE=STATUS or jsonpath={.plain.path}=VALUE"
            }
        )
    path, value = match.group(1).lstrip(".").split("."), match.group(2)

    def met(live: Obj) -> bool:
        found = pluck(live, *path)
        if value is None:
            return found is not None
        if isinstance(found, bool):
            return str(found).lower() == value
        return found is not None and str(found) == value

    return expression, met

"""Values that a stack may add to but not undo: tables of what the program decides, and one reading
of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settings.problems import ABSENT, Problem, problem


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One value by its keys: `allowed` says which the stack may give all the same, `why` completes
    "VALUE ...", `right` says what to write where removing it is not all."""

    keys: tuple[str, ...]
    why: str
    allowed: Callable[[Any], bool] = lambda _: False
    right: str = "remove it"


def only(*values: object) -> Callable[[Any], bool]:
    """These values and no other; 1 is not true."""
    return lambda given: any(given == each and type(given) is type(each) for each in values)


def off(given: Any) -> bool:
    """Switched off, or left as it is."""
    return given in (False, None, "false", "disabled")


def on(given: Any) -> bool:
    """Switched on."""
    return given is True or given == "true"


def undone(path: str, values: Mapping[str, Any], table: Sequence[Decided]) -> Iterator[Problem]:
    """Every value of a stack that undoes what is decided, and every one that replaces the whole
    mapping it stands in."""
    told: set[str] = set()
    for each in table:
        here, holder = path, values
        for key in each.keys[:-1]:
            here, inner = f"{here}.{key}", holder.get(key, {})
            if not isinstance(inner, Mapping):
                if here not in told:
                    told.add(here)
                    shown = inner if not isinstance(inner, list) else ABSENT
                    wrong = f"is no mapping, and {each.keys[-1]} in it is decided"
                    yield problem(here, shown, wrong, "remove it, or write a mapping")
                break
            holder = inner
        else:
            last = each.keys[-1]
            if last in holder and not each.allowed(holder[last]):
                value = holder[last]
                shown = ABSENT if isinstance(value, dict | list) else value
                yield problem(f"{here}.{last}", shown, each.why, each.right)

"""Who may log in: the operators' keys."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.keys import key_of
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("access")
def authorized_keys_are_told_once(stack: Stack) -> Iterator[Problem]:
    """The same key, whatever its options and its comment."""
    seen: dict[str, int] = {}
    for index, line in enumerate(stack.access.authorized_keys):
        earlier = seen.setdefault(key_of(line), index)
        if earlier != index:
            yield problem(
                f"access.authorized_keys[{index}]",
                line,
                f"stands at access.authorized_keys[{earlier}] already",
                "name it once",
            )

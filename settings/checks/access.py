"""Who may log in: the operators' keys."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.claims import machines
from settings.checks.registry import doubts, reads
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


@doubts("access")
def journals_fit_the_disks(stack: Stack) -> Iterator[Problem]:
    """journald keeps to what is free as well, and leaves others little (journald.conf(5))."""
    most = stack.access.journald_max_mebibytes
    disks = {spec.name: spec.disk * 1024 for _, _, spec in machines(stack)}
    smallest = min(disks, key=lambda name: disks[name], default=None)
    if smallest is not None and 2 * most > disks[smallest]:
        yield problem(
            "access.journald_max_mebibytes",
            most,
            f"MiB are more than half of the disk of {smallest} ({disks[smallest]} MiB)",
            f"write {disks[smallest] // 8} or less",
        )

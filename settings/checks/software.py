"""Where packages come from: repositories."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.software import AptRepository
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem


@reads("software")
def repositories_are_well_formed(stack: Stack) -> Iterator[Problem]:
    """sources.list(5): a suite that ends in a slash is an exact path and takes no components."""
    seen: dict[str, str] = {}
    for path, each in walk(stack, AptRepository):
        earlier = seen.setdefault(each.name, path)
        if earlier != path:
            yield problem(
                f"{path}.name",
                each.name,
                f"names {earlier} already",
                "give each repository a name of its own: it names its file",
            )
        exact = [suite for suite in each.suites if suite.endswith("/")]
        if exact and each.components:
            yield problem(
                f"{path}.components",
                each.components,
                f"do not go with the exact path {exact[0]} in suites",
                "remove the components, or the slash",
            )
        if len(exact) < len(each.suites) and not each.components:
            yield problem(
                f"{path}.components",
                each.components,
                f"is empty, and the suite {each.suites[0]} needs some",
                "write [main] or the like, or end the suite in a slash",
            )

"""Pushes to the machines of a pair, one machine at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import pulumi

from components.host.transport import dependencies

Pushed_co = TypeVar("Pushed_co", bound=pulumi.Resource, covariant=True)


class Push(Protocol[Pushed_co]):
    """What is pushed to one machine, whichever way: `HostConfigurationArgs`, `HostScriptArgs`."""

    def push(self, name: str, opts: pulumi.ResourceOptions) -> Pushed_co:
        """The resource that does it."""


def in_turn(
    names: Iterable[str],
    suffix: str,
    pushed: Callable[[str], Push[Pushed_co]],
    opts: pulumi.ResourceOptions,
) -> dict[str, Pushed_co]:
    """The pushes `NAME-suffix`, by machine, in the order of `names`: each waits for the ones before
    it, and for what `opts` waits for."""
    made: dict[str, Pushed_co] = {}
    for name in names:
        options = pulumi.ResourceOptions(
            parent=opts.parent, depends_on=[*dependencies(opts), *made.values()]
        )
        made[name] = pushed(name).push(f"{name}-{suffix}", options)
    return made

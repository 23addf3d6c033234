"""Pushes to the machines of a pair, one machine at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pulumi

from components.host.configuration import HostConfiguration, HostConfigurationArgs
from components.host.transport import dependencies


def in_turn(
    names: Iterable[str],
    suffix: str,
    pushed: Callable[[str], HostConfigurationArgs],
    opts: pulumi.ResourceOptions,
) -> dict[str, HostConfiguration]:
    """The configurations `NAME-suffix`, by machine, in the order of `names`: each waits for the
    ones before it, and for what `opts` waits for."""
    made: dict[str, HostConfiguration] = {}
    for name in names:
        made[name] = HostConfiguration(
            f"{name}-{suffix}",
            pushed(name),
            pulumi.ResourceOptions(
                parent=opts.parent, depends_on=[*dependencies(opts), *made.values()]
            ),
        )
    return made

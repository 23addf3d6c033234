"""Pushes to the machines of a pair: one machine at a time, each the sum of its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi

from components.host.configuration import HostConfiguration, HostConfigurationArgs
from components.host.files import files
from components.host.machine import Machine
from components.host.part import ConfirmPolicy, Part, PeerGuard, summed
from components.host.transport import dependencies


def push(
    machine: Machine,
    layer: str,
    parts: Iterable[Part],
    *,
    late: Mapping[str, pulumi.Input[Any]] | None = None,
    secrets: Mapping[str, pulumi.Input[str]] | None = None,
    confirm: ConfirmPolicy | None = None,
    owner_guard: PeerGuard | None = None,
    epoch: str = "1",
) -> HostConfigurationArgs:
    """What `layer` wants on `machine`: its parts as one. `late` and `secrets` as in `files`."""
    whole = summed(layer, parts)
    return HostConfigurationArgs(
        machine=machine,
        layer=layer,
        packages=whole.packages,
        files=files(whole.files, late=late, secrets=secrets),
        checks=whole.checks,
        steps=whole.steps,
        services=whole.services,
        confirm=confirm,
        owner_guard=owner_guard,
        epoch=epoch,
    )


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

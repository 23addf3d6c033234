"""The passwords of BGP sessions, out of the one secret that has them all."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi


def passwords(
    lines: pulumi.Input[str] | None, names: Iterable[str]
) -> dict[str, pulumi.Output[str]]:
    """By name, each a secret output: `lines` are NAME=PASSWORD, one a line, vetted by the settings.
    Nothing of them is read for a stack without any name."""
    given = pulumi.Output.secret("" if lines is None else lines)

    def of(name: str) -> pulumi.Output[str]:
        return given.apply(lambda text: dict(line.split("=", 1) for line in text.split())[name])

    return {name: of(name) for name in names}

"""A plan that changes what a cluster was made with, refused by the engine's own question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from components.cluster import birth
from components.host import LayerError


def hook(name: str) -> pulumi.ResourceHook:
    """Asks `asked` in a preview too. `name` is the hook's own, one a stack."""
    return pulumi.ResourceHook(f"{name}-born", asked, pulumi.ResourceHookOptions(on_dry_run=True))


async def asked(args: pulumi.ResourceHookArgs) -> None:
    """Refuses an update of a cluster that was handed out and made with other values, unless its
    machine is another one.

    Raises:
        LayerError: names every value.
    """
    before, now = await seen(args.old_inputs), await seen(args.new_inputs)
    if before["machine"] != now["machine"]:
        return
    if changed := birth.refusal(before["epoch"], now["epoch"]):
        raise LayerError("cluster", [*changed, birth.REMEDY])


async def seen(inputs: Mapping[str, Any] | None) -> dict[str, str]:
    """The machine (its host key, with the incarnation) and the epoch that a command was given."""
    given = inputs or {}
    connection = await pulumi.Output.from_input(given.get("connection")).future()
    stdin = await pulumi.Output.from_input(given.get("stdin")).future()
    machine = connection.get("hostKey") if isinstance(connection, Mapping) else None
    try:
        request = json.loads(stdin)["request"] if isinstance(stdin, str) else {}
    except (ValueError, KeyError, TypeError):
        request = {}
    return {"machine": str(machine), "epoch": str(request.get("epoch", ""))}

"""Routers that take a text, and take it back by themselves unless another one confirms it: what
every such kind does alike. Each has its own texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pulumi

from components.host import HostImportArgs, LayerError, Machine
from components.host.pairs import in_turn
from components.routers.args import RoutersArgs, model
from components.routers.contract import Contract, contract
from components.routers.model import Router, RoutersModel
from components.routers.texts import ARMED, CONFIRMED, DONE, Texts
from components.routers.verify import verify, verify_ranges


def make(
    args: RoutersArgs,
    opts: pulumi.ResourceOptions,
    *,
    reader: str,
    file: str | None,
    confirm_seconds: int,
    written: Callable[[RoutersModel, Router, Machine, Sequence[str]], Texts],
) -> Contract:
    """The routers' texts, `NAME-routers`, under the parent that `opts` name: `written` makes them
    of a router, its machine and the CDN's ranges; `reader` and `file` as `HostImport` has them.

    Raises `LayerError`, see `components.routers.verify`.
    """
    if problems := verify(args.machines):
        raise LayerError("routers", problems)
    routers = model(args)
    machines = {machine.name: machine for machine in args.machines}

    def pushed(name: str) -> HostImportArgs:
        def vetted(ranges: Sequence[str]) -> Texts:
            if problems := verify_ranges(ranges):
                raise LayerError("routers", problems)
            return written(routers, routers.member(name), machines[name], ranges)

        both = pulumi.Output.from_input(args.cdn_ranges).apply(vetted)
        return HostImportArgs(
            machine=machines[name],
            reader=reader,
            file=file,
            text=both.apply(lambda each: each.script),
            confirmation=both.apply(lambda each: each.confirmation),
            armed=ARMED,
            done=DONE,
            confirmed=CONFIRMED,
            confirm_seconds=confirm_seconds,
        )

    names = [router.name for router in routers.rollout()]
    return contract(routers, in_turn(names, "routers", pushed, opts))

"""How MikroTik routers are made: a script for each, handed to one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.host import HostImportArgs, LayerError, Start
from components.host.pairs import in_turn
from components.routers.args import RoutersArgs, model
from components.routers.contract import Contract, contract
from components.routers.mikrotik.script import ARMED, CONFIRMED, DONE, Texts, texts
from components.routers.verify import verify, verify_ranges

START = Start(user="layered", cloud_init=False, python=False)
"""A user of the program's own, whom the operator makes (docs/routers.md)."""


def make(args: RoutersArgs, opts: pulumi.ResourceOptions) -> Contract:
    """The routers' scripts, `NAME-routers`, under the parent that `opts` name.

    Raises `LayerError`, see `components.routers.verify`.
    """
    if problems := verify(args.machines):
        raise LayerError("routers", problems)
    routers = model(args)
    machines = {machine.name: machine for machine in args.machines}

    def pushed(name: str) -> HostImportArgs:
        def written(ranges: Sequence[str]) -> Texts:
            if problems := verify_ranges(ranges):
                raise LayerError("routers", problems)
            return texts(
                routers,
                routers.member(name),
                ranges,
                gateway=str(args.networks.wan.gateway),
                epoch=args.epoch,
                confirm_seconds=args.confirm_seconds,
            )

        both = pulumi.Output.from_input(args.cdn_ranges).apply(written)
        return HostImportArgs(
            machine=machines[name],
            reader="/import file-name={file}",
            file="layered.rsc",
            text=both.apply(lambda each: each.script),
            confirmation=both.apply(lambda each: each.confirmation),
            armed=ARMED,
            done=DONE,
            confirmed=CONFIRMED,
            confirm_seconds=args.confirm_seconds,
        )

    names = [router.name for router in routers.rollout()]
    return contract(routers, in_turn(names, "routers", pushed, opts))

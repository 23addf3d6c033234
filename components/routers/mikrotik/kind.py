"""How MikroTik routers are made: a script for each, handed to one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.host import Machine, Start
from components.routers import appliance
from components.routers.args import RoutersArgs
from components.routers.contract import Contract
from components.routers.mikrotik.script import texts
from components.routers.model import Router, RoutersModel
from components.routers.texts import Texts

START = Start(user="layered", cloud_init=False, python=False)
"""A user of the program's own, whom the operator makes (docs/routers.md)."""


def make(args: RoutersArgs, opts: pulumi.ResourceOptions) -> Contract:
    """The routers' scripts, `NAME-routers`, under the parent that `opts` name.

    Raises `LayerError`, see `components.routers.verify`.
    """

    def written(model: RoutersModel, router: Router, _: Machine, cdn: Sequence[str]) -> Texts:
        return texts(
            model,
            router,
            cdn,
            gateway=str(args.networks.wan.gateway),
            epoch=args.epoch,
            confirm_seconds=args.confirm_seconds,
        )

    return appliance.make(
        args,
        opts,
        reader="/import file-name={file}",
        file="layered.rsc",
        confirm_seconds=args.confirm_seconds,
        written=written,
    )

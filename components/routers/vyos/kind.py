"""How VyOS routers are made: one commit for each, one router after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.host import Machine, Start
from components.routers import appliance
from components.routers.args import RoutersArgs
from components.routers.contract import Contract
from components.routers.model import Router, RoutersModel
from components.routers.texts import Texts
from components.routers.vyos.script import READER, minutes, texts
from components.routers.vyos.seed import USER, user_data

START = Start(user=USER, cloud_init=True, python=False, user_data=user_data)
"""A virtual one is told by its own cloud-init; on a physical one the operator makes the user."""


def make(args: RoutersArgs, opts: pulumi.ResourceOptions) -> Contract:
    """The routers' texts, `NAME-routers`, under the parent that `opts` name.

    Raises `LayerError`, see `components.routers.verify`.
    """

    def written(model: RoutersModel, router: Router, machine: Machine, cdn: Sequence[str]) -> Texts:
        return texts(
            model,
            router,
            cdn,
            networks=args.networks,
            virtual=machine.host is not None,
            epoch=args.epoch,
            confirm_seconds=args.confirm_seconds,
        )

    return appliance.make(
        args,
        opts,
        reader=READER,
        file=None,
        confirm_seconds=60 * minutes(args.confirm_seconds),
        written=written,
    )

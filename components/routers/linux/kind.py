"""How Linux routers are made: the sum of their parts, pushed to one machine after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.host import ConfirmPolicy, HostConfigurationArgs, LayerError, summed
from components.host.pair import owner_guard
from components.host.pairs import in_turn
from components.host.passwords import passwords
from components.routers.args import RoutersArgs, model
from components.routers.contract import Contract, contract
from components.routers.linux.parts import parts
from components.routers.verify import verify, verify_ranges


def make(args: RoutersArgs, opts: pulumi.ResourceOptions) -> Contract:
    """The routers' pushes, `NAME-routers`, under the parent that `opts` name.

    Raises `LayerError`, see `components.routers.verify`.
    """
    if problems := verify(args.machines):
        raise LayerError("routers", problems)
    routers = model(args)
    machines = {machine.name: machine for machine in args.machines}
    ranges = pulumi.Output.from_input(args.cdn_ranges).apply(_some)

    secrets = _passwords(args)

    def pushed(name: str) -> HostConfigurationArgs:
        link = routers.link(name)
        return HostConfigurationArgs.of(
            summed("routers", parts(routers, routers.member(name))),
            machine=machines[name],
            late={"cdn_ranges": ranges},
            secrets=secrets,
            confirm=ConfirmPolicy(seconds=args.confirm_seconds),
            owner_guard=owner_guard(
                (*routers.public, *routers.gateways), None if link is None else link.theirs.ip
            ),
            epoch=args.epoch,
        )

    names = [router.name for router in routers.rollout()]
    return contract(routers, in_turn(names, "routers", pushed, opts))


def _passwords(args: RoutersArgs) -> Mapping[str, pulumi.Input[str]]:
    names = () if args.peering is None else args.peering.secrets
    return {f"bgp-{name}": each for name, each in passwords(args.bgp_passwords, names).items()}


def _some(ranges: Sequence[str]) -> list[str]:
    if problems := verify_ranges(ranges):
        raise LayerError("routers", problems)
    return list(ranges)

"""The baseline of one machine: its parts, pushed as one configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.host.baseline.args import BaselineArgs
from components.host.baseline.parts import parts
from components.host.configuration import HostConfiguration, HostConfigurationArgs
from components.host.errors import HostError
from components.host.exporters import targets, urls
from components.host.part import ConfirmPolicy, OpenPort, summed
from components.host.target import Target

LAYER = "baseline"


class Baseline(HostConfiguration):
    """Authorized keys, host name, time, resolvers, journal limits, upgrade policy, sshd, apt.

    Promises: sshd answers on the management address only, and by key only; a mistake that cuts
    the way in off is put back by the machine itself. Rotating a key is a push, never a new VM.

    Leaves out: the network's own configuration (cloud-init's), the firewall (the layers'), users
    other than the connection's.

    Raises `HostError` without an authorized key: nobody could log in again.
    """

    ports: Sequence[OpenPort]
    """What its daemons listen on, for whoever keeps the machine's firewall."""
    exporters: Mapping[str, Sequence[str]]
    """The machine to the URLs of its metrics (Prometheus text format)."""
    targets: Sequence[Target]
    """The same, each with its name, for who reads them."""
    _formerly = ("layered-cloud:host:Baseline", "layered-cloud:host:Configuration")

    def __init__(
        self,
        name: str,
        args: BaselineArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not args.authorized_keys:
            raise HostError(
                f"baseline {name!r}: without an authorized key nobody, this program included, "
                "could log in again; give the run's own public key"
            )
        whole = summed(LAYER, parts(args.model()))
        super().__init__(
            name,
            HostConfigurationArgs.of(
                whole,
                machine=args.machine,
                late={"authorized_keys": pulumi.Output.all(*args.authorized_keys)},
                repositories=args.repositories,
                confirm=ConfirmPolicy(seconds=args.confirm_seconds),
                epoch=args.epoch,
            ),
            opts,
        )
        self.ports = whole.ports
        self.exporters = {args.machine.name: urls(args.machine, whole.exporters)}
        self.targets = targets(args.machine, whole.exporters)

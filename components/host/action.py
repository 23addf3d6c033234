"""One-shot work on a machine: kubeadm init, join, reset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pulumi
from pulumi_command import remote

from components.host import payload
from components.host.errors import HostError
from components.host.machine import Machine
from components.host.transport import Exchange


@dataclass(frozen=True, kw_only=True)
class HostActionArgs:
    """Shell texts (`/bin/bash -eu -o pipefail`), run as root on the machine.

    `guard` exits 0 when the work is already done: then `do` is skipped. It is asked again after
    `do`, and must then hold. `undo` takes the work back on deletion. `result` prints what
    `HostAction.result` becomes, on every run. None of the texts may hold a secret: what is secret
    goes into `secrets`, and the texts read it from the file `$SECRETS/NAME` (mode 0600, on tmpfs,
    gone afterwards). A changed `epoch` runs the action again, that is: guard, perhaps do, result;
    it may arrive late.
    `seconds` bounds each text. `host-install NAME=VERSION…` is a command that the texts have: it
    installs those versions as a push does and holds them, and restarts nothing.
    """

    machine: Machine
    name: str
    do: str | None = None
    guard: str | None = None
    undo: str | None = None
    result: str | None = None
    result_secret: bool = True
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    epoch: pulumi.Input[str] = "1"
    seconds: int = 900


class HostAction(remote.Command):
    """Runs `do` unless `guard` holds, and reads `result`; same transport and lock as every push.

    Promises: work that is done is not done again; `undo` acts only while what it would take back
    is this resource's; secrets never reach a command line or a log.

    Leaves out: retries. What may fail for a while (a peer that is not up yet) is waited for inside
    `do`, by polling.

    Raises `HostError` with everything that no machine could carry out.
    """

    machine: Machine
    result: pulumi.Output[str]
    """What the `result` text printed, without the final newline; empty without one. Secret by
    default."""
    _formerly: ClassVar[tuple[str, ...]] = ("layered-cloud:host:Action",)

    def __init__(
        self,
        name: str,
        args: HostActionArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_nonsense(name, args)

        def sent(epoch: str, secrets: Mapping[str, str]) -> str:
            return payload.document(
                payload.action(
                    resource=name,
                    name=args.name,
                    do=args.do,
                    guard=args.guard,
                    undo=args.undo,
                    result=args.result,
                    secrets=secrets,
                    epoch=epoch,
                    seconds=args.seconds,
                )
            )

        stdin: pulumi.Input[str]
        if isinstance(args.epoch, str) and not args.secrets:
            stdin = sent(args.epoch, {})
        else:
            late = pulumi.Output.all(epoch=args.epoch, secrets=dict(args.secrets))
            stdin = late.apply(lambda known: sent(known["epoch"], known["secrets"]))
        secret = args.result is not None and args.result_secret
        exchange = Exchange(
            machine=args.machine,
            push="act",
            take_away="undo",
            stdin=pulumi.Output.secret(stdin) if args.secrets else stdin,
            opts=opts,
            formerly=self._formerly,
            secret_output=secret,
        )
        super().__init__(name, exchange.args(), exchange.options(name))
        self.machine = args.machine
        # Beside the engine's own marking, because a result must stay secret even on a provider
        # that does not hand the option back.
        self.result = pulumi.Output.secret(self.stdout) if secret else self.stdout


_NAME = re.compile(r"[a-z][a-z0-9.-]*")
_SECRET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


def refuse_nonsense(name: str, args: HostActionArgs) -> None:
    """Raise `HostError`, naming the action, for what no machine could carry out."""
    wrong = []
    if not _NAME.fullmatch(args.name):
        wrong.append(f"name {args.name!r} must be lower case letters, digits, dots and dashes")
    if args.do is None and args.result is None:
        wrong.append("it has nothing to do and no result to read")
    if args.guard is not None and args.do is None:
        wrong.append("a guard without a `do` guards nothing")
    wrong += [
        f"secret {key!r} must be a plain file name"
        for key in args.secrets
        if not _SECRET_NAME.fullmatch(key)
    ]
    if wrong:
        raise HostError(f"host action {name!r}: " + "; ".join(wrong))

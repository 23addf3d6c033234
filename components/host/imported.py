"""A text for an appliance that tells no status, so that a `HostScript` would believe anything: as a
file that it imports, where its SSH server reads no standard input, or by that."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import pulumi
from pulumi_command import local

from components.host.errors import HostError, LayerError
from components.host.machine import Machine
from components.host.transport import DIAL_ATTEMPTS, DIAL_SECONDS, dependencies, host_key

LARGEST = 96 * 1024
"""Bytes of a text. It is handed over as a variable of the environment, of which Linux takes 128 KiB
(execve(2), MAX_ARG_STRLEN)."""


@dataclass(frozen=True, kw_only=True)
class HostImportArgs:
    """`text` is uploaded as `file` and read by `reader`, a command line of the appliance's in which
    `{file}` stands for its name; without a `file` it is the reader's standard input.

    The appliance prints lines of its own for what it has done: `armed` when a change begins that it
    takes back by itself after `confirm_seconds`, and `done` at its end. `confirmation` is then
    handed over and read over a new connection, and prints `confirmed`. Both texts must be
    idempotent, and neither may hold a secret: a preview shows them.
    """

    machine: Machine
    reader: str
    file: str | None
    text: pulumi.Input[str]
    confirmation: pulumi.Input[str]
    armed: str
    done: str
    confirmed: str
    confirm_seconds: int

    def push(self, name: str, opts: pulumi.ResourceOptions) -> HostImport:
        """What `components.host.pairs` makes of it."""
        return HostImport(name, self, opts)


class HostImport(local.Command):
    """Runs a text on an appliance that tells no status, by OpenSSH's client on this machine.

    Promises: the same checked host key and the same patience as every push; the key that logs in
    comes on standard input and is held by an agent, in no file and no argument; an update fails
    unless the appliance says that it has done and confirmed everything, with what it said instead;
    a text that cuts the way in off is taken back by the appliance. A new VM gets it again.

    Leaves out: a judge before the text runs, drift, and a deletion, which takes nothing away.

    Raises `HostError` for a command line that does not name the file, or is not one line,
    and `LayerError` for a text that is too large, which may be known late.
    """

    def __init__(
        self, name: str, args: HostImportArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        if ("{file}" in args.reader) != (args.file is not None) or "\n" in args.reader:
            raise HostError(
                f"host import {name!r}: reader {args.reader!r} must be one command line in which "
                "{file} stands for the file's name, if there is one"
            )

        def small(text: str) -> str:
            if len(text.encode()) > LARGEST:
                has = f"{name}: the text has {len(text.encode())} bytes"
                raise LayerError(
                    "host import", [f"{has}, and at most {LARGEST} can be handed over"]
                )
            return text

        to = args.machine.connection
        program = resources.files("components.host") / "scripts" / "import.sh"
        line = program.read_text(encoding="utf-8")
        super().__init__(
            name,
            create=line,
            update=line,
            stdin=pulumi.Output.secret(to.private_key),
            environment={
                "TEXT": pulumi.Output.from_input(args.text).apply(small),
                "CONFIRMATION": pulumi.Output.from_input(args.confirmation).apply(small),
                "FILE": args.file or "",
                "READER": args.reader,
                "ARMED": args.armed,
                "DONE": args.done,
                "CONFIRMED": args.confirmed,
                "CONFIRM_SECONDS": str(args.confirm_seconds),
                "HOST": to.host,
                "PORT": str(to.port),
                "LOGIN": to.user,
                "HOST_KEY": host_key(args.machine),
                "DIAL_ATTEMPTS": str(DIAL_ATTEMPTS),
                "DIAL_SECONDS": str(DIAL_SECONDS),
            },
            add_previous_output_in_env=False,
            logging=local.Logging.NONE,
            opts=pulumi.ResourceOptions(
                parent=opts.parent if opts else None,
                deleted_with=args.machine.vm,
                depends_on=[*args.machine.entry, *dependencies(opts)],
            ),
        )

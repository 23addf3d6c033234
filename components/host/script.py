"""A text for a machine's own command line: the way to an appliance, which has no Python."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_command import remote

from components.host.errors import HostError
from components.host.machine import Machine
from components.host.transport import connection, dependencies


@dataclass(frozen=True, kw_only=True)
class HostScriptArgs:
    """`reader` is a constant command line of the appliance's that reads `text` on its standard
    input and ends with a status other than 0 when a command of it failed. The text must be
    idempotent: it runs again whenever it or the machine changes. It may be a secret, as a whole.
    """

    machine: Machine
    reader: str
    text: pulumi.Input[str]

    def push(self, name: str, opts: pulumi.ResourceOptions) -> HostScript:
        """What `components.host.pairs` makes of it."""
        return HostScript(name, self, opts)


class HostScript(remote.Command):
    """Runs a text on an appliance, in one session.

    Promises: the same checked connection as every push, the same waits for the way in, and a new VM
    gets it again; a preview shows the lines that change; when it fails, the update fails with what
    the appliance said on its standard error.

    Leaves out: all that Python on a machine gives a `HostConfiguration`. Nothing judges the text
    before it runs, half of one that failed stays, nobody confirms a way in, and a deletion takes
    nothing away.

    Raises `HostError` for a command line that does not stand in one line.
    """

    def __init__(
        self, name: str, args: HostScriptArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        if not args.reader.strip() or "\n" in args.reader:
            raise HostError(
                f"host script {name!r}: reader {args.reader!r} must be one command line that reads "
                "the text on its standard input"
            )
        machine = args.machine
        replaced = machine.vm is not None and machine.incarnation is None
        super().__init__(
            name,
            remote.CommandArgs(
                connection=connection(machine),
                create=args.reader,
                update=args.reader,
                stdin=args.text,
                logging=remote.Logging.NONE,
                add_previous_output_in_env=False,
            ),
            pulumi.ResourceOptions(
                parent=opts.parent if opts else None,
                deleted_with=machine.vm,
                replace_with=[machine.vm] if replaced and machine.vm is not None else [],
                depends_on=[*machine.entry, *dependencies(opts)],
            ),
        )

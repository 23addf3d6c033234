"""One command on a machine, over SSH: what `HostConfiguration` and `HostAction` are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import remote

from components.host.machine import Machine
from components.host.payload import Verb, command_line

DIAL_ATTEMPTS = 20
"""Connection attempts before a command fails; with the growing pauses between them about as long
as a machine needs to boot."""
DIAL_SECONDS = 10
"""Seconds one attempt may take: without a limit a dead address holds the run for minutes."""


def connection(machine: Machine) -> remote.ConnectionArgs:
    """The provider's form of a connection, with the machine's host key always checked.

    The machine's incarnation rides along as the key's comment (sshd(8), SSH_KNOWN_HOSTS), where
    SSH passes over it and the engine sees a change.
    """
    to = machine.connection
    return remote.ConnectionArgs(
        host=to.host,
        port=to.port,
        user=to.user,
        private_key=pulumi.Output.secret(to.private_key),
        host_key=host_key(machine),
        dial_error_limit=DIAL_ATTEMPTS,
        per_dial_timeout=DIAL_SECONDS,
    )


def host_key(machine: Machine) -> pulumi.Input[str]:
    """The machine's host key, with its incarnation as the comment."""
    if machine.incarnation is None:
        return machine.connection.host_key

    def commented(both: Sequence[str]) -> str:
        algorithm, key = both[0].split()[:2]
        return f"{algorithm} {key} {hashlib.sha256(both[1].encode()).hexdigest()[:16]}"

    return pulumi.Output.all(machine.connection.host_key, machine.incarnation).apply(commented)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One command on a machine: `push` as create and as update, `take_away` as delete.

    `formerly` are the types of the components that once stood between it and its parent, outermost
    first: programs before had one around every command.
    """

    machine: Machine
    push: Verb
    take_away: Verb | None
    stdin: pulumi.Input[str]
    opts: pulumi.ResourceOptions | None
    formerly: Sequence[str] = ()
    depends_on: Sequence[pulumi.Resource] = ()
    secret_output: bool = False

    def args(self) -> remote.CommandArgs:
        """What the provider is told; the command line is constant.

        Never `triggers`: they replace, and the replaced one's deletion would remove what its
        successor put there.
        """
        line = command_line(self.push)
        return remote.CommandArgs(
            connection=connection(self.machine),
            create=line,
            update=line,
            delete=command_line(self.take_away) if self.take_away else None,
            stdin=self.stdin,
            logging=remote.Logging.NONE,
            add_previous_output_in_env=False,
        )

    def options(self, component: str) -> pulumi.ResourceOptions:
        """What the engine is told; `component` is the name that the component once had.

        Deleted before it is replaced, since the deletion of the replaced one would remove what its
        successor put there. A machine that is gone takes its commands with it (`deleted_with`); a
        new one gets everything again, by its `incarnation` or else by `replace_with`.
        """
        opts, machine = self.opts or pulumi.ResourceOptions(), self.machine
        # The engine replaces by deleting first, on the old machine, and by a provider that it has
        # not loaded yet when the machine is the first to be looked at (seen with 3.259).
        replaced = machine.vm is not None and machine.incarnation is None
        with_machine = [machine.vm] if replaced and machine.vm is not None else []
        return pulumi.ResourceOptions(
            parent=opts.parent,
            deleted_with=machine.vm,
            replace_with=[*with_machine, *(opts.replace_with or [])],
            delete_before_replace=True,
            depends_on=[*machine.entry, *dependencies(opts), *self.depends_on],
            additional_secret_outputs=["stdout", "stderr"] if self.secret_output else None,
            hooks=opts.hooks,
            aliases=[*_given(opts.aliases), *self._before(component)],
        )

    def _before(self, component: str) -> list[pulumi.Alias]:
        """Its name when it hung below a component of its own."""
        return once_below(component, self.formerly, self.opts.parent if self.opts else None)


def once_below(
    name: str, types: Sequence[str], parent: pulumi.Resource | None
) -> list[pulumi.Alias]:
    """Where states know a resource that stood below components of these types, outermost first,
    each called `name`; none where it stood below none."""
    above: pulumi.Resource | pulumi.Input[str] | None = parent
    for type_ in types:
        above = pulumi.create_urn(name, type_, above)
    return [pulumi.Alias(parent=above)] if types and above is not None else []


def _given(aliases: pulumi.Input[Sequence[Any]] | None) -> Sequence[Any]:
    return aliases if isinstance(aliases, Sequence) else ()


def dependencies(opts: pulumi.ResourceOptions | None) -> list[pulumi.Input[pulumi.Resource]]:
    """What the component waits for, its commands wait for too, on the way down as well. Each may
    be known late; a list that is known late is none of them."""
    given = opts.depends_on if opts else None
    if isinstance(given, pulumi.Resource):
        return [given]
    return list(given) if isinstance(given, Sequence) else []

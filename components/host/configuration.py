"""Packages, files and services of one machine, as one transaction."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, ClassVar, Self

import pulumi
from pulumi_command import remote

from components.host import payload
from components.host.errors import HostError
from components.host.files import File, files
from components.host.machine import Machine
from components.host.packages import Repository, named
from components.host.part import Check, ConfirmPolicy, Package, Part, PeerGuard, Service, Step
from components.host.payload import SECRET
from components.host.transport import Exchange


@dataclass(frozen=True, kw_only=True)
class HostConfigurationArgs:
    """What one layer wants on one machine.

    `layer` names the set of files (`routers`, `loadbalancers.base`, `baseline`): several
    configurations live on one machine, each owning its own files, each with its own manifest; a
    file that another one owns is refused. `packages` are installed in one apt transaction, their
    daemons kept from starting before these files are in place. `services` are handled in order.
    A changed `epoch` runs the push again. `seconds` bounds the push's own work, not the wait for
    the lock or for cloud-init.
    """

    machine: Machine
    layer: str
    repositories: tuple[Repository, ...] = ()
    packages: tuple[Package, ...] = ()
    files: tuple[File, ...] = ()
    checks: tuple[Check, ...] = ()
    steps: tuple[Step, ...] = ()
    services: tuple[Service, ...] = ()
    confirm: ConfirmPolicy | None = None
    owner_guard: PeerGuard | None = None
    epoch: str = "1"
    seconds: int = 900

    @classmethod
    def of(
        cls,
        part: Part,
        *,
        machine: Machine,
        late: Mapping[str, pulumi.Input[Any]] | None = None,
        secrets: Mapping[str, pulumi.Input[str]] | None = None,
        repositories: tuple[Repository, ...] = (),
        confirm: ConfirmPolicy | None = None,
        owner_guard: PeerGuard | None = None,
        epoch: str = "1",
        seconds: int = 900,
    ) -> Self:
        """A part's configuration on `machine`, whose layer is the part's name, with the packages
        as the machine's distribution calls them.

        `late` and `secrets` are values by the names that the part's files use; `KeyError` when
        one is missing.
        """
        return cls(
            machine=machine,
            layer=part.name,
            repositories=repositories,
            packages=named(part.packages, machine.distribution),
            files=files(part.files, late=late, secrets=secrets),
            checks=part.checks,
            steps=part.steps,
            services=part.services,
            confirm=confirm,
            owner_guard=owner_guard,
            epoch=epoch,
            seconds=seconds,
        )

    def push(self, name: str, opts: pulumi.ResourceOptions) -> HostConfiguration:
        """What `components.host.pairs` makes of it."""
        return HostConfiguration(name, self, opts)


class HostConfiguration(remote.Command):
    """Files, packages and services of one machine, pushed as a transaction over SSH.

    Promises: the daemons' own checkers see the union of new and live files before anything is
    swapped; any failure puts the old set back and fails the update with the daemon's words first;
    a cut session leaves the old set or the new, never half; an unchanged set touches nothing.

    It is one `remote.Command`, NAME, whose input is plain text, so that a preview shows the lines
    of a file that change. When files hold secrets, a NAME-secrets goes before it, whose input is a
    secret whole. Under a `ConfirmPolicy` it is the last of two, NAME-confirm, so that whoever
    waits for it waits for both.

    Leaves out: the content's meaning (the layers' business), the removal of packages, and drift,
    which `check` reports but no refresh repairs: raise `epoch` to push again.

    Raises `HostError` with everything that no machine could carry out.
    """

    machine: Machine
    layer: str
    generation: pulumi.Output[str]
    """What the machine's manifest calls the set in force: 32 hex digits."""
    _formerly: ClassVar[tuple[str, ...]] = ("layered-cloud:host:Configuration",)

    def __init__(
        self,
        name: str,
        args: HostConfigurationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_nonsense(name, args)
        request = _request(name, args)
        push = Exchange(
            machine=args.machine,
            push="apply",
            take_away="delete",
            stdin=request.apply(payload.document),
            opts=opts,
            formerly=self._formerly,
            depends_on=self._deposit(name, args, opts),
        )
        last, exchange = name, push
        if args.confirm is not None:
            pushed = remote.Command(name, push.args(), push.options(name))
            last = f"{name}-confirm"
            exchange = replace(
                push,
                push="confirm",
                take_away=None,
                stdin=request.apply(lambda r: payload.document(payload.confirmation(r))),
                depends_on=[pushed],
            )
        super().__init__(last, exchange.args(), exchange.options(name))
        self.machine = args.machine
        self.layer = args.layer
        self.generation = self.stdout

    def _deposit(
        self,
        name: str,
        args: HostConfigurationArgs,
        opts: pulumi.ResourceOptions | None,
    ) -> list[pulumi.Resource]:
        secrets = _secrets(args.files)
        if not secrets:
            return []
        epoch, layer = args.epoch, args.layer
        stdin = pulumi.Output.all(**secrets).apply(
            lambda values: payload.document(
                payload.deposit(layer=layer, secrets=values, epoch=epoch)
            )
        )
        exchange = Exchange(
            machine=args.machine,
            push="deposit",
            take_away="withdraw",
            stdin=pulumi.Output.secret(stdin),
            opts=opts,
            formerly=self._formerly,
        )
        return [remote.Command(f"{name}-secrets", exchange.args(), exchange.options(name))]


def _secrets(files: Sequence[File]) -> dict[str, pulumi.Input[str]]:
    found: dict[str, pulumi.Input[str]] = {}
    for file in files:
        if file.secret:
            found[file.path] = file.content
        found |= {f"{file.path}#{key}": value for key, value in file.secrets.items()}
    return found


def _request(name: str, args: HostConfigurationArgs) -> pulumi.Output[payload.Json]:
    """The push's request, in plain text: a secret file is represented by its redacted text."""
    shown = {
        file.path: (file.redacted if file.redacted is not None else SECRET)
        if file.secret
        else file.content
        for file in args.files
    }
    # An output for each of a thousand machines' dozen files would be most of a preview's work.
    known = {path: text for path, text in shown.items() if isinstance(text, str)}
    late = {path: text for path, text in shown.items() if path not in known}

    def build(given: Mapping[str, str]) -> payload.Json:
        texts = {**known, **given}
        return payload.configuration(
            resource=name,
            machine=args.machine.name,
            layer=args.layer,
            repositories=args.repositories,
            packages=args.packages,
            contents=[
                payload.Content(
                    path=file.path,
                    text=texts[file.path],
                    mode=file.mode,
                    owner=file.owner,
                    placeholders=tuple(file.secrets),
                    secret=file.secret,
                )
                for file in args.files
            ],
            checks=args.checks,
            steps=args.steps,
            services=args.services,
            confirm=args.confirm,
            owner_guard=args.owner_guard,
            epoch=args.epoch,
            seconds=args.seconds,
        )

    if not late:
        return pulumi.Output.from_input("").apply(lambda _: build({}))
    return pulumi.Output.all(**late).apply(build)


_PLACEHOLDER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_LAYER = re.compile(r"[a-z][a-z0-9.-]*")
_MODE = re.compile(r"0?[0-7]{3}")


def refuse_nonsense(name: str, args: HostConfigurationArgs) -> None:
    """Raise `HostError`, naming the configuration, for what no machine could carry out."""
    wrong = [
        *_wrong_names(args),
        *(error for file in args.files for error in _wrong_file(file)),
    ]
    if wrong:
        raise HostError(f"host configuration {name!r}: " + "; ".join(wrong))


def _wrong_names(args: HostConfigurationArgs) -> list[str]:
    wrong = []
    if not _LAYER.fullmatch(args.layer) or args.layer in {"actions", "bin"}:
        wrong.append(
            f"layer {args.layer!r} must be lower case letters, digits, dots and dashes, "
            "and neither 'actions' nor 'bin'"
        )
    for what, names in (
        ("file", [file.path for file in args.files]),
        ("package", [package.name for package in args.packages]),
        ("service", [service.name for service in args.services]),
    ):
        twice = sorted({one for one in names if names.count(one) > 1})
        wrong += [f"{what} {one!r} is listed twice" for one in twice]
    return wrong


def _wrong_file(file: File) -> list[str]:
    wrong = []
    if not file.path.startswith("/") or PurePosixPath(file.path) != PurePosixPath(
        posixpath.normpath(file.path)
    ):
        wrong.append(f"file {file.path!r} must be an absolute, normal path")
    if not _MODE.fullmatch(file.mode):
        wrong.append(f"{file.path}: mode {file.mode!r} must be octal text such as '0644'")
    elif (file.secret or file.secrets) and int(file.mode, 8) & 0o007:
        wrong.append(
            f"{file.path} holds secrets and mode {file.mode} lets everybody read it; "
            "use 0600, or 0640 with a group"
        )
    if file.secret and file.secrets:
        wrong.append(f"{file.path}: either the whole content is secret or its placeholders are")
    if file.redacted is not None and not file.secret:
        wrong.append(f"{file.path}: a redacted text belongs to a file with secret=True only")
    for key in file.secrets:
        if not _PLACEHOLDER.fullmatch(key):
            wrong.append(f"{file.path}: placeholder {key!r} must be a plain name, without the @@")
        elif isinstance(file.content, str) and f"@@{key}@@" not in file.content:
            wrong.append(f"{file.path}: its text has no @@{key}@@")
    return wrong

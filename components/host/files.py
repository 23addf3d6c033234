"""What one configuration of a machine consists of: packages, files, services and their checks.

Everything a daemon says or needs is given as a constant argv, never as a shell line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from settings.models import AptRepository

SECRET = "<secret>"  # noqa: S105 - what stands in a diff where the value is not shown
"""What a redacted text shows in place of a secret."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One apt repository (`man sources.list`, deb822), written to sources.list.d/NAME.sources.

    `signed_by` is the armored public key itself; `None` uses the machine's own keyring.
    """

    name: str
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...] = ()
    signed_by: str | None = None


def repositories(settings: Iterable[AptRepository]) -> tuple[Repository, ...]:
    """The repositories of a stack's settings."""
    return tuple(
        Repository(
            name=one.name,
            uris=tuple(one.uris),
            suites=tuple(one.suites),
            components=tuple(one.components),
            signed_by=one.signed_by,
        )
        for one in settings
    )


@dataclass(frozen=True, kw_only=True)
class Package:
    """A Debian package; `version` pins it exactly, `hold` keeps upgrades away from it.

    A version that ends in `*` matches as apt's own pins do, for example `2.6.*`.
    """

    name: str
    version: str | None = None
    hold: bool = False


@dataclass(frozen=True, kw_only=True)
class File:
    """One file the configuration owns. `owner` is `user:group`, `mode` is octal text.

    Secrets, in order of preference:

    * `secrets` maps placeholders to values; `content` is then plain text with the placeholders in
      it (write them `@@name@@`), and the machine fills them in. The preview shows the text's diff,
      and a change of the text alone plans exactly one changed resource.
    * `secret=True` says the whole content is secret (a private key). `redacted` is the text shown
      in its place, `<secret>` when left out.

    Secret content never reaches the command line, the log, or a plain field of the state. A file
    that holds secrets must not be readable by others: give it a mode such as 0600.
    """

    path: str
    content: pulumi.Input[str]
    mode: str = "0644"
    owner: str = "root:root"
    secret: bool = False
    redacted: pulumi.Input[str] | None = None
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Check:
    """A daemon's own checker, run before anything is swapped.

    It sees the file system as it will be: this configuration's files staged over the live ones,
    the files of every other configuration as they are. A non-zero exit refuses the whole set.
    Runs only when one of `watches` (paths or directories; empty: any file) changes.
    """

    name: str
    argv: tuple[str, ...]
    watches: tuple[str, ...] = ()
    seconds: int = 60


@dataclass(frozen=True, kw_only=True)
class Step:
    """A constant command around the swap, such as `sysctl --system`; must be idempotent.

    `when` is `before` (the reload of services) or `after` (their health). It runs only when one of
    `watches` changed, and again after a rollback, over the old files. `always` runs it on every
    push that is not a no-op.
    """

    name: str
    argv: tuple[str, ...]
    when: Literal["before", "after"] = "before"
    watches: tuple[str, ...] = ()
    always: bool = False
    seconds: int = 60


@dataclass(frozen=True, kw_only=True)
class Health:
    """A probe repeated until it exits 0; after `seconds` without success the old set comes back."""

    argv: tuple[str, ...]
    seconds: float = 15.0
    interval: float = 0.25


@dataclass(frozen=True, kw_only=True)
class Service:
    """A systemd unit that serves from the files.

    `on_change` says what a changed file needs: `reload` (the unit's own; restart only when it is
    not running), `restart`, `none`, or a constant argv of its own. `watches` narrows the files
    that matter to paths or directories; empty means every file of the configuration. With
    `enable` the unit is enabled and running after every push; a unit that was enabled by this
    configuration is disabled and stopped by its deletion. `guarded` puts it under the
    configuration's `PeerGuard`.
    """

    name: str
    on_change: Literal["reload", "restart", "none"] | tuple[str, ...] = "reload"
    watches: tuple[str, ...] = ()
    enable: bool = True
    health: Health | None = None
    guarded: bool = True


@dataclass(frozen=True, kw_only=True)
class ConfirmPolicy:
    """For machines where a mistake cuts you off.

    The push arms a timed restore before it swaps; a second command over a new connection confirms
    and disarms it. Without it, `seconds` after the swap the old set is back.
    """

    seconds: int = 60


@dataclass(frozen=True, kw_only=True)
class PeerGuard:
    """In a pair: never touch the owner of a VIP while its peer cannot take over.

    While the machine holds one of `vips` (plain addresses), guarded services are reloaded only
    when `probe`, run on the machine, exits 0 within `seconds`: it asks the peer whether it is
    healthy.
    """

    vips: tuple[str, ...]
    probe: tuple[str, ...]
    seconds: float = 10.0

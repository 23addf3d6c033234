"""What one configuration of a machine consists of: packages, files, services and their checks.

Everything a daemon says or needs is given as a constant argv, never as a shell line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.host.part import Late, Text
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


def files(
    texts: Iterable[Text],
    *,
    late: Mapping[str, pulumi.Input[Any]] | None = None,
    secrets: Mapping[str, pulumi.Input[str]] | None = None,
) -> tuple[File, ...]:
    """Parts' texts as the files of a configuration: `late` and `secrets` are the values by the
    names that the texts use. `KeyError` when one is missing."""
    return tuple(
        File(
            path=text.path,
            content=_content(text.content, late or {}),
            mode=text.mode,
            owner=text.owner,
            secrets={name: (secrets or {})[name] for name in text.secrets},
        )
        for text in texts
    )


def _content(content: str | Late, late: Mapping[str, pulumi.Input[Any]]) -> pulumi.Input[str]:
    if isinstance(content, str):
        return content
    render = content.render
    return pulumi.Output.all(**{need: late[need] for need in content.needs}).apply(
        lambda values: render(**values)
    )

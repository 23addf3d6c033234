"""A configuration's files with the values that arrive late; `part` has everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.host.part import Late, Text


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

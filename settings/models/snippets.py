"""Lines of the stack's own in HAProxy's configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from settings.models.base import Checked, Form, fault

_SECTIONS: Final = frozenset(
    (
        *("acme", "backend", "cache", "crt-store", "defaults", "fcgi-app", "frontend", "global"),
        *("http-errors", "listen", "log-forward", "log-profile", "mailers", "namespace_list"),
        *("peers", "program", "resolvers", "ring", "traces", "userlist"),
    )
)
"""HAProxy configuration manual, sections 3, 4, 10 and 12, of 2.6 to 3.2."""
_MODIFIERS: Final = ("no", "default")


def keywords(line: str) -> tuple[str, ...]:
    """The words of a line as HAProxy goes by them (configuration manual, section 2.2): without
    quotes and backslashes, and without the `no` or `default` in front."""
    words = line.translate(dict.fromkeys(map(ord, "\"'\\"))).split()
    return tuple(words[1:] if words[:1] and words[0] in _MODIFIERS else words)


@dataclass(frozen=True)
class _Line(Checked):
    """A keyword and what follows. What begins with a dot leaves out lines behind it, the program's
    too (HAProxy configuration manual, section 2.4)."""

    schema_pattern = "^[a-z0-9][a-z0-9._-]*( .*)?$"

    def check(self, text: str) -> str:
        """The text itself; raises `fault` when it is no line, or would open a section."""
        if re.fullmatch(self.schema_pattern, text) is None:
            raise fault(
                "does not begin with a keyword of HAProxy's",
                "begin it with one, such as http-request; comments belong in the stack file",
            )
        word = (*keywords(text), "")[0]
        if word in _SECTIONS:
            raise fault(
                f"would open a section ({word})",
                "leave it out: lines stand in the sections that there are",
            )
        return text


SnippetHook = Annotated[
    str,
    Form(
        "global|api|defaults|service|ingress",
        "is no place for lines",
        "write global, api, defaults, service or ingress",
    ),
]
"""Where lines go (docs/loadbalancers.md)."""

SnippetLine = Annotated[str, _Line()]
"""One line, as HAProxy reads it."""

"""Rules of the stack's own in the routers' nftables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from settings.models.base import Checked, Form, fault

_NO_RULES: Final = frozenset(
    (
        *("add", "chain", "create", "define", "delete", "describe", "destroy", "devices", "export"),
        *("flags", "flowtable", "flush", "import", "include", "insert", "list", "map", "monitor"),
        *("policy", "redefine", "rename", "replace", "reset", "set", "table", "type", "undefine"),
    )
)
"""What a line begins with that is no rule: nft's commands, and what a table or a chain is said to
be (nft(8), COMMANDS, CHAINS, SETS; include files; symbolic variables)."""
_BRACES: Final = {"{": 1, "}": -1}


@dataclass(frozen=True)
class _Rule(Checked):
    """One rule on one line. A backslash at its end would take the program's next line with it, a
    `;` begins another statement, a `#` hides what closes a brace (nft(8), LEXICAL CONVENTIONS)."""

    schema_pattern = r"^[a-z@][^;#\\]*$"

    def check(self, text: str) -> str:
        """The text itself; raises `fault` when it is no rule, or would leave its chain."""
        if re.fullmatch(self.schema_pattern, text) is None:
            raise fault(
                "is no rule of nftables on one line",
                "write one rule an item, such as tcp dport 9100 accept: no ;, no #, no backslash",
            )
        if text.count('"') % 2 or not _balanced(re.sub('"[^"]*"', "", text)):
            raise fault(
                "leaves quotes or braces open, or closes others",
                "close in a line what it opens: the chain around it is the program's",
            )
        if (word := re.split(r"\W", text, maxsplit=1)[0]) in _NO_RULES:
            raise fault(
                f"is no rule: {word} would change the chain, its table or others",
                "write what a packet must have, then what becomes of it, such as accept or drop",
            )
        return text


def _balanced(text: str) -> bool:
    """Whether every brace is closed that is opened, and no other."""
    depth = 0
    for each in text:
        depth += _BRACES.get(each, 0)
        if depth < 0:
            return False
    return depth == 0


RuleHook = Annotated[
    str,
    Form(
        "input|forward|prerouting|postrouting",
        "is no chain that takes rules",
        "write input, forward, prerouting or postrouting",
    ),
]
"""Where rules go (docs/routers.md)."""

RuleLine = Annotated[str, _Rule()]
"""One rule, as nft reads it."""

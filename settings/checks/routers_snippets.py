"""Rules of the stack's own in the routers' table: what `nft -c` may pass, and the load does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import Problem, problem

_TO: Final = r"( ip6?)?( (addr( \. port)?|prefix|interval))? to\b"
_PLACES: Final[Mapping[str, tuple[re.Pattern[str], tuple[str, ...]]]] = {
    "dnat": (re.compile(rf"\bdnat{_TO}"), ("prerouting",)),
    "redirect": (re.compile(r"(?<!type )\bredirect( to \S+)?$"), ("prerouting",)),
    "snat": (re.compile(rf"\bsnat{_TO}"), ("postrouting",)),
    "masquerade": (re.compile(r"\bmasquerade\b"), ("postrouting",)),
    "reject": (re.compile(r"\breject\b"), ("input", "forward", "prerouting")),
}
"""Statement to how it is written, and the chains where the kernel takes it (nft(8), NAT STATEMENTS,
REJECT STATEMENT)."""


@reads("routers")
def own_rules_do_what_their_chain_can(stack: Stack) -> Iterator[Problem]:
    """The kernel looks at a statement's chain when the table is loaded; `nft -c` does not always
    ask it."""
    for hook, lines in stack.routers.snippets.items():
        for index, line in enumerate(lines):
            bare = re.sub('"[^"]*"', '""', line)
            for statement, (written, hooks) in _PLACES.items():
                if written.search(bare) and hook not in hooks:
                    yield problem(
                        f"routers.snippets.{hook}[{index}]",
                        line,
                        f"has {statement}, and the kernel takes that in {', '.join(hooks)} alone",
                        "write it under routers.snippets there",
                    )

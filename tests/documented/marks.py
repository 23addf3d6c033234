"""What a mark says of the block behind it. On the line before the fence:

| mark | the block |
|---|---|
| `<!-- run: offline -->` | runs in a copy of the checkout; `, exit N` if it ends so |
| `<!-- run: lab -->` | runs beside the running lab |
| `<!-- run: lab, on ROLE -->` | each line runs on a machine of that role there |
| `<!-- run: by PATH -->` | is run by that file, mostly a test (several: `by PATH, PATH`) |
| `<!-- run: own -->` | is for hosts of one's own: its words are checked, it is not run |
| `<!-- run: never, REASON -->` | is not run: its words are checked |
| `<!-- shows: stack -->` | is a piece of a stack file: its keys and values are checked |
| `<!-- shows: output -->` | is no command; so are `file`, `drawing` and `code` |

What is marked `offline` is run by tests/test_documented_offline.py, `lab` by
tests/lab/e2e/test_2_documented.py: each as it stands, a block of its own shell that ends at the
first failure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

ROLES: Final = ("router", "balancer", "control_plane", "worker")
FORMS: Final = ("stack", "output", "file", "drawing", "code")
_LAB = re.compile(rf"lab(?:, on (?P<role>{'|'.join(ROLES)}))?")
_OFFLINE = re.compile(r"offline(?:, exit (?P<status>\d+))?")

Kind = Literal["offline", "lab", "by", "own", "never", "shows"]


class Unknown(ValueError):
    """A mark that says nothing; the text says what would be right."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """`what`: of `lab` the role (or nothing), of `by` the paths, of `never` the reason, of
    `shows` the form. `status`: the exit status that is right."""

    kind: Kind
    what: str = ""
    status: int = 0

    @property
    def runs(self) -> bool:
        """Whether the block is commands."""
        return self.kind != "shows"


def parse(text: str) -> Mark:
    """A mark out of its words, such as `run: lab, on router`.

    Raises:
        Unknown: it is none.
    """
    verb, _, rest = (part.strip() for part in text.partition(":"))
    if verb == "shows":
        if rest not in FORMS:
            raise Unknown(f"{text}: shows one of {', '.join(FORMS)}")
        return Mark(kind="shows", what=rest)
    if found := _OFFLINE.fullmatch(rest):
        return Mark(kind="offline", status=int(found["status"] or 0))
    if found := _LAB.fullmatch(rest):
        return Mark(kind="lab", what=found["role"] or "")
    if rest == "own":
        return Mark(kind="own")
    if rest.startswith("by ") and rest.removeprefix("by ").strip():
        return Mark(kind="by", what=rest.removeprefix("by ").strip())
    if rest.startswith("never,") and rest.removeprefix("never,").strip():
        return Mark(kind="never", what=rest.removeprefix("never,").strip())
    raise Unknown(
        f"{text}: write offline, `offline, exit N`, lab, `lab, on {'|'.join(ROLES)}`, `by PATH`, "
        "own, or `never, REASON`"
    )

"""The texts of routers that take a change back unless somebody confirms it, in two. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

ARMED: Final = "layered-armed"
"""A line that the router prints: from here on it is changed, and returns to what it was unless
`CONFIRMED` is printed in time."""
DONE: Final = "layered-done"
"""The last line of a text that went through."""
CONFIRMED: Final = "layered-confirmed"
"""The last line of a confirmation."""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """`script` makes the change, `confirmation` keeps it."""

    script: str
    confirmation: str


def generation(text: str) -> str:
    """What the things are called that a text makes: another text's are others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]

"""The texts of routers that take a change back unless somebody confirms it, in two. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Template

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


def written(script: Template, confirmation: Template, values: Mapping[str, Any]) -> Texts:
    """Both texts of `values` and the lines above. What they make is called by a `generation`, a
    digest of the script without it: another text's are others."""
    known = {**values, "armed": ARMED, "done": DONE, "confirmed": CONFIRMED}
    digest = hashlib.sha256(script.render(**known, generation="").encode()).hexdigest()[:12]
    named = {**known, "generation": digest}
    return Texts(script=script.render(**named), confirmation=confirmation.render(**named))

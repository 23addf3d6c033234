"""The word that a misspelt one may have been meant for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_NEARNESS = 0.6


def nearest(name: str, valid: Iterable[str]) -> str:
    """What to write instead of an unknown key: the nearest valid one, then all of them."""
    names = list(valid)
    close = closest(name, names)
    listing = f"valid here: {', '.join(names)}"
    return f"did you mean {close}? {listing}" if close else listing


def closest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that a misspelt one may be meant for."""
    folded = {re.sub(r"[^a-z0-9]", "", key.lower()): key for key in valid}
    close = difflib.get_close_matches(
        re.sub(r"[^a-z0-9]", "", name.lower()), list(folded), n=1, cutoff=_NEARNESS
    )
    return folded[close[0]] if close else None

"""Releases of distributions, by what names of files, suites and versions say of them."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = {
    "debian": {
        "bullseye": "11",
        "bookworm": "12",
        "trixie": "13",
        "forky": "14",
        "duke": "15",
    },
    "ubuntu": {"focal": "20.04", "jammy": "22.04", "noble": "24.04", "resolute": "26.04"},
}
_BY_NAME: Final = {name: family for family, names in _NAMES.items() for name in names}


def release_of(text: str) -> str | None:
    """The release's name in a text such as `debian-12-genericcloud` or `bookworm-backports`."""
    words = re.split(r"[^a-z0-9.]+", text.lower())
    for word in words:
        if word in _BY_NAME:
            return word
    for family, names in _NAMES.items():
        for name, number in names.items():
            if re.search(rf"{family}[-_. ]?{re.escape(number)}(?![0-9])", text.lower()):
                return name
    return None


def family_of(text: str) -> str | None:
    """`debian` or `ubuntu`, when a text says one of them, by name or by a release's."""
    named = [family for family in _NAMES if family in text.lower()]
    release = release_of(text)
    return named[0] if named else _BY_NAME.get(release or "")

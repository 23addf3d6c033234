"""Characters that cannot be seen, or look like others: found, named, and what was meant."""

from __future__ import annotations

import unicodedata
from typing import Final

_LOOK_ALIKES: Final = dict(
    zip(
        "аеорсухіјѕһԁԛԝӏАВЕКМНОРСТУХІЈЅԌԚԜοαρυνικχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ‐‑‒–—−“”„‘’",
        'aeopcyxijshdqwlABEKMHOPCTYXIJSGQWoapuvikxABEZHIKMNOPTYX------"""\'\'',
        strict=True,
    )
)
"""Cyrillic and Greek letters, dashes and quotes, with the ASCII character each looks like."""


def named(character: str) -> str:
    """Its code point and Unicode name."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'CONTROL CHARACTER')}"


def is_control(character: str) -> bool:
    """Whether a terminal, a daemon or a shell would do something at it (Cc, Zl, Zp, Cs)."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def is_invisible(character: str) -> bool:
    """Whether nothing is shown where it stands: joiners, marks of direction, soft hyphens (Cf)."""
    return unicodedata.category(character) == "Cf"


def is_blank(character: str) -> bool:
    """Whether it is a blank, of whatever width."""
    return character == "\t" or unicodedata.category(character) == "Zs"


def plain(text: str) -> str:
    """The text as it looks, in ASCII where that can be: invisible characters out, look-alikes and
    characters of other widths by what they look like."""
    seen = "".join(_LOOK_ALIKES.get(each, each) for each in text if not is_invisible(each))
    return unicodedata.normalize("NFKC", seen)


def punycode(name: str) -> str | None:
    """A host name as DNS is asked for it (RFC 3492); None where it has no such form."""
    try:
        return ".".join(
            label if label.isascii() else "xn--" + _label(label) for label in name.split(".")
        )
    except UnicodeError:
        return None


def _label(label: str) -> str:
    return unicodedata.normalize("NFKC", label).lower().encode("punycode").decode("ascii")

"""Slips of the pen: what a text may have been meant as."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_LONGEST = 300
"""Characters. What is longer is no slip of the pen."""


def mended(text: str) -> Iterator[str]:
    """The whole text otherwise, the nearest first: without a scheme, blanks around its marks, a
    comparison before a version, or marks at its ends; in lower case; with a slash in front."""
    if len(text) > _LONGEST:
        return
    bare = _SCHEME.sub("", text)
    for each in (
        text.strip(".-"),
        bare,
        re.sub(r"\s*([:/@])\s*", r"\1", bare),
        bare.lstrip("^~<>=! "),
        bare.removeprefix("./").strip("/").rstrip(".-"),
    ):
        yield from _cases(each)
    path = re.sub(r"[?#].*", "", bare.partition("/")[2] if bare != text else bare.lstrip("/"))
    if path[:1].isalnum():
        yield f"/{path}"
    if re.fullmatch("[0-9A-Fa-f-]+", text):
        yield text.replace("-", "").lower()


def parts(text: str) -> Iterator[str]:
    """One part of the text alone: the host of a URL, what stands before or behind a colon or an
    equals sign, in angle brackets, or behind the last slash: of a path on a machine a file's."""
    if len(text) > _LONGEST:
        return
    host = _SCHEME.sub("", text).partition("/")[0].strip(".-")
    before, _, behind = re.sub("=+", ":", host).partition(":")
    inside = re.search("<([^<>]+)>", text)
    last = text.rpartition("/")[2]
    if text.startswith("/") and "." not in last:
        last = ""
    for each in (host, before, behind, inside[1] if inside else "", last):
        yield from _cases(each)


def _cases(text: str) -> Iterator[str]:
    low = text.lower()
    yield from (text, low, low.replace("_", "-"), text.replace("_", "-"))

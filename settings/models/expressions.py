"""Expressions of Cloudflare's Rules language, as far as a text can be judged without Cloudflare.

Its documentation (Ruleset Engine, "Rules language": expressions, operators, values, fields) is the
source of every bound here. Which fields and functions there are changes with Cloudflare's products,
so only the first part of a field's name is judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator

from settings.models.base import Prose, fault

LONGEST: Final = 4096
"""Characters of one expression ("Maximum rule expression length")."""

FIELD_ROOTS: Final = ("cf", "http", "icmp", "ip", "raw", "ssl", "tcp", "udp")
"""What fields begin with ("Fields reference")."""

_WORD: Final = re.compile(
    r"""(?P<text>r(?P<hashes>\#*)".*?"(?P=hashes)|"(?:\\.|[^"\\])*")"""
    r"""|(?P<open>r\#*")|(?P<word>\$?[A-Za-z_][A-Za-z0-9_.]*)|[^\s]""",
    re.VERBOSE,
)
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


def words(text: str) -> Sequence[str]:
    """Its words and signs in their order, literal strings left out."""
    found = _WORD.finditer(text)
    return [each.group() for each in found if each["text"] is None]


def fields(text: str) -> frozenset[str]:
    """The fields that it names, without their keys: `http.request.headers` of
    `http.request.headers["x"]`. Those of one part alone (`ssl`) are left out."""
    return frozenset(each for each in words(text) if "." in each and each[0].isalpha())


def by_pattern(text: str) -> bool:
    """Whether it compares with a regular expression ("Operators": `matches`, `~`)."""
    return not {"matches", "~"}.isdisjoint(words(text))


def _judged(text: str) -> str:
    if not text:
        raise fault("is empty", "write which requests are meant, or true for all of them")
    if len(text) > LONGEST:
        raise fault(
            f"has {len(text)} characters, and Cloudflare takes {LONGEST}",
            "share it out among several rules",
        )
    within: list[str] = []
    for each in words(text):
        if each.endswith('"'):
            raise fault("has a string that does not end", 'close it with "')
        if each in _PAIRS.values():
            within.append(each)
        elif each in _PAIRS and (not within or within.pop() != _PAIRS[each]):
            raise fault(f"closes a {each} that was not opened", "open it, or remove it")
    if within:
        raise fault(f"opens a {within[-1]} that is not closed", "close it")
    if not fields(text) and {"ssl", "true", "false"}.isdisjoint(words(text)):
        raise fault(
            "names no field of a request",
            'write one and what it is, such as http.request.uri.path contains "/admin"',
        )
    for each in sorted(fields(text)):
        root = each.partition(".")[0]
        if root not in FIELD_ROOTS:
            raise fault(
                f"names {each}, and no field begins with {root}",
                f"write one of Cloudflare's, which begin with {', '.join(FIELD_ROOTS)}",
            )
    return text


Expression = Annotated[str, Prose(), AfterValidator(_judged)]
"""Which requests are meant, such as `http.request.uri.path contains "/wp-"`."""

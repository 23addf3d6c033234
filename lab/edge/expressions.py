"""The part of Cloudflare's Rules language that the lab's edge acts upon, as regular expressions.

Comparisons of the host or the path with a text, joined by `and` alone or by `or` alone ("Rules
language", "Operators" and "Functions" in Cloudflare's developer documentation). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

VARIABLES = MappingProxyType({"http.host": "$host", "http.request.uri.path": "$uri"})
"""nginx' variable of each field."""
_TEXT = r'"((?:[^"\\]|\\["\\])*)"'
_FIELD = "|".join(map(re.escape, VARIABLES))
_COMPARED = re.compile(rf"({_FIELD})\s+(eq|==|ne|!=|contains)\s+{_TEXT}")
_CALLED = re.compile(rf"(starts_with|ends_with)\(\s*({_FIELD})\s*,\s*{_TEXT}\s*\)")
_FORMS = MappingProxyType(
    {
        "eq": "^{}$",
        "==": "^{}$",
        "contains": "{}",
        "starts_with": "^{}",
        "ends_with": "{}$",
        "ne": "^(?!{}$)",
        "!=": "^(?!{}$)",
    }
)


class Unreadable(ValueError):
    """An expression that this edge has no words for; the text says so."""


@dataclass(frozen=True, kw_only=True)
class Atom:
    """One comparison: an nginx variable, and the regular expression (PCRE) that it must match."""

    variable: str
    pattern: str


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Comparisons of which all, or `any_of` which one, must hold."""

    atoms: Sequence[Atom]
    any_of: bool


def condition(expression: str) -> Condition:
    """An expression as comparisons.

    Raises:
        Unreadable: it asks for more than this module knows.
    """
    text = expression.strip()
    while text.startswith("(") and text.endswith(")") and _balanced(text[1:-1]):
        text = text[1:-1].strip()
    atoms, joined, rest = [], set(), text
    while True:
        rest = rest.lstrip()
        inside = re.match(rf"\(\s*(?:({_COMPARED.pattern})|({_CALLED.pattern}))\s*\)", rest)
        found = _COMPARED.match(rest) or _CALLED.match(rest)
        if inside is not None:
            whole = inside[0][1:-1].strip()
            found = _COMPARED.match(whole) or _CALLED.match(whole)
            rest = rest[inside.end() :]
        elif found is not None:
            rest = rest[found.end() :]
        if found is None:
            raise Unreadable(f"the lab's edge does not act upon {expression}")
        atoms.append(_atom(found))
        if not rest.strip():
            break
        word = re.match(r"\s*(and|or|&&|\|\|)\s+", rest)
        if word is None:
            raise Unreadable(f"the lab's edge does not act upon {expression}")
        joined.add({"&&": "and", "||": "or"}.get(word[1], word[1]))
        rest = rest[word.end() :]
    if len(joined) > 1:
        raise Unreadable(f"the lab's edge does not act upon `and` beside `or`: {expression}")
    return Condition(atoms=tuple(atoms), any_of="or" in joined)


def _balanced(text: str) -> bool:
    depth = 0
    for each in re.sub(_TEXT, "", text):
        depth += {"(": 1, ")": -1}.get(each, 0)
        if depth < 0:
            return False
    return depth == 0


def _atom(found: re.Match[str]) -> Atom:
    if found.re is _COMPARED:
        field, how, text = found.groups()
    else:
        how, field, text = found.groups()
    literal = re.escape(re.sub(r"\\(.)", r"\1", text))
    return Atom(variable=VARIABLES[field], pattern=_FORMS[how].format(literal))

"""Takes secrets out of texts: known values in every form they are written in, and what looks like
one. Standard library only, since it runs on the machines too.

Too much is taken out rather than too little: a container's id goes with the tokens.
"""

import base64
import json
import re
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import quote, quote_plus

MASK = "<masked>"
SHORTEST = 6
"""Characters of a known value that is looked for: less would be everywhere."""
SHORTEST_FORM = 8
SHORTEST_TOKEN = 16
"""Characters of a text that is taken for a token by its look."""
MIXED = 0.2
"""Changes between letters and digits, and from small letters to capitals, in a character: random
texts have 0.25 to 0.5, names less than 0.15."""

_NAMED = (
    r"passw(?:or)?d|passphrase|secret|token|api[-_]?key|auth[-_]?pass|authorization|credential"
    r"|private[-_]?key|key-data|cookie"
)
_PRIVATE = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_ASSIGNED = re.compile(
    rf"(?i)([\w.-]*(?:{_NAMED})[\w.-]*\\?[\"']?\s*[:=]\s*(?:(?:bearer|basic)\s+)?\\?[\"']?)"
    r"([^\s\"',;&\\<][^\s\"',;&\\]*)"
)
_SPOKEN = re.compile(r"(?i)\b((?:password|auth_pass|bearer|basic)\s+\"?)([^\s\"';<]+)")
_USERINFO = re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(@)")
_BOOTSTRAP = re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_TOKEN = re.compile(rf"[A-Za-z0-9+/=_%~-]{{{SHORTEST_TOKEN},}}")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]{1,15})*")
_ROOTS = (
    *("api", "apis", "boot", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "root", "run"),
    *("sbin", "bin", "srv", "sys", "tmp", "usr", "var", "node"),
)


def forms(value: str) -> set[str]:
    """How a value may be written: itself, each of its longer lines, escaped for JSON and URLs,
    in hexadecimal, in base64 wherever it begins."""
    found = set()
    whole = value.strip()
    lines = [line.strip() for line in whole.splitlines()]
    for each in {whole, f"{whole}\n", value, *(line for line in lines if len(line) >= 16)}:
        if len(each.strip()) < SHORTEST or each.startswith("-----"):
            continue
        found.add(each.strip())
        data = each.encode()
        written = [json.dumps(each)[1:-1], quote(each, safe=""), quote(each), quote_plus(each)]
        written += [data.hex(), data.hex().upper()]
        for shift in range(3):
            # Only the characters that hold nothing of what stands before or behind.
            text = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
            first = (shift * 8 + 5) // 6
            last = (shift + len(data)) * 8 // 6
            inner = text[first:last]
            written += [inner, inner.replace("+", "-").replace("/", "_")]
            written += [quote(inner, safe="")]
        found.update(form for form in written if len(form) >= SHORTEST_FORM)
    found.discard("")
    # A key's PEM text: its first and last lines are everybody's.
    return {form for form in found if not form.startswith("-----")} | _whole(whole)


def _whole(text: str) -> set[str]:
    return {text, json.dumps(text)[1:-1]} if text.startswith("-----") else set()


def expression(values: Iterable[str]) -> "re.Pattern[str] | None":
    """One expression for all forms of all values, the longest first."""
    every = {form for value in values for form in forms(value)}
    ordered = sorted(every, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def mixed(text: str) -> float:
    """How mixed the letters and digits of a text are, see `MIXED`."""
    kept = [each for each in text if each.isalnum()]
    changes = sum(
        before.isdigit() != after.isdigit() or (before.islower() and after.isupper())
        for before, after in pairwise(kept)
    )
    return changes / max(1, len(kept))


def looks_random(token: str) -> bool:
    """Whether a text without blanks is more likely a key than a name."""
    if len(token) < SHORTEST_TOKEN or mixed(token) < MIXED:
        return False
    if _NAME.fullmatch(token):
        # As Kubernetes names pods: words and short tails.
        return any(len(each) >= SHORTEST_TOKEN for each in token.split("-"))
    return True


def _token(match: "re.Match[str]") -> str:
    token = match[0]
    if token.startswith("/") and token.split("/")[1] in _ROOTS:
        return "/".join(MASK if looks_random(each) else each for each in token.split("/"))
    return MASK if looks_random(token) else token


def masked(text: str, known: "re.Pattern[str] | None" = None) -> str:
    """The text without known values (`expression`) and without what looks like a secret."""
    if known is not None:
        text = known.sub(MASK, text)
    text = _PRIVATE.sub(MASK, text)
    text = _USERINFO.sub(rf"\1{MASK}\3", text)
    text = _ASSIGNED.sub(rf"\1{MASK}", text)
    text = _SPOKEN.sub(rf"\1{MASK}", text)
    text = _BOOTSTRAP.sub(MASK, text)
    text = _UUID.sub(MASK, text)
    return _TOKEN.sub(_token, text)

"""Takes secrets out of texts: known values in every form they are written in, and what looks like
one. Standard library only, since it runs on the machines too.

Too much is taken out rather than too little: a container's id goes with the tokens.
"""

import base64
import contextlib
import json
import re
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import quote, quote_plus

MASK = "<masked>"
SHORTEST = 6
"""Characters of a known value that is looked for: less would be everywhere."""
SHORTEST_TOKEN = 16
"""Characters of a text that is taken for a token by its look."""
MIXED = 0.2
"""Changes between letters and digits, and from small letters to capitals, in a character: random
texts have 0.3 to 0.5, names less than 0.15."""

_NAMED = (
    r"passw(?:or)?d|passphrase|secret|token|api[-_]?key|auth[-_]?pass|authorization(?!-mode)|credential"
    r"|private[-_]?key|key-data|cookie"
)
_PRIVATE = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
# Without what stands before the word: it stays as it is, and looking for it takes long.
_ASSIGNED = re.compile(
    rf"(?i)((?:{_NAMED})(?![\w.-]{{0,40}}(?:file|path|dir)\b)[\w.-]{{0,40}}\\?[\"']?\s*[:=]\s*(?:(?:bearer|basic)\s+)?\\?[\"']?)"
    r"([^\s\"',;&\\<][^\s\"',;&\\]*)"
)
_SPOKEN = re.compile(r"(?i)\b((?:password|auth_pass|bearer|basic)\s+\"?)([^\s\"';<]+)")
_OF_KUBECONFIG = re.compile(r"(?:client-key-data|token|password):\s*[\"']?([^\s\"']+)")
_USERINFO = re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(@)")
_BOOTSTRAP = re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_TOKEN = re.compile(rf"[A-Za-z0-9+/=_%~-]{{{SHORTEST_TOKEN},}}")
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_DIGITS = re.compile(r"[0-9a-fA-F]{32,}")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]{1,15})*")
_ROOTS = (
    *("api", "apis", "boot", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "root", "run"),
    *("sbin", "bin", "srv", "sys", "tmp", "usr", "var", "node"),
)


def forms(value: str) -> set[str]:
    """How a value may be written: itself, each of its longer lines, escaped for JSON and URLs,
    in hexadecimal, in base64 wherever it begins."""
    whole = value.strip()
    lines = [line.strip() for line in whole.splitlines() if len(line.strip()) >= SHORTEST_TOKEN]
    key = whole.startswith("-----")
    # The first and the last line of a key are everybody's; its lines in hexadecimal go by their
    # look. There are many of them.
    named = [line for line in lines if not line.startswith("-----")] if key else [whole, *lines]
    found = {whole, json.dumps(whole)[1:-1]} if key else set()
    for each in named:
        if len(each) < SHORTEST:
            continue
        data = each.encode()
        found |= {each, json.dumps(each)[1:-1], quote(each, safe=""), quote(each), quote_plus(each)}
        if not key:
            found |= {data.hex(), data.hex().upper()}
        for shift in range(3):
            # Only the characters that hold nothing of what stands before or behind.
            text = base64.b64encode(b"\0" * shift + data).decode()
            inner = text[(shift * 8 + 5) // 6 : (shift + len(data)) * 8 // 6]
            found |= {inner, inner.replace("+", "-").replace("/", "_"), quote(inner, safe="")}
    return {form for form in found if len(form) >= SHORTEST}


def known(values: Iterable[str]) -> tuple[str, ...]:
    """All forms of all values, the longest first. Of lines `NAME=VALUE` the value is one too."""
    every: set[str] = set()
    for value in values:
        every |= forms(value)
        for line in value.splitlines():
            if "-----" not in value and "=" in line:
                every |= forms(line.split("=", 1)[1])
    return tuple(sorted(every, key=lambda each: (-len(each), each)))


def kept(text: str) -> list[str]:
    """The secrets in a file that has some: private keys, and what a kubeconfig calls its own."""
    found = _PRIVATE.findall(text)
    for each in _OF_KUBECONFIG.findall(text):
        found.append(each)
        with contextlib.suppress(ValueError):
            found.append(base64.b64decode(each, validate=True).decode())
    return found


def mixed(text: str) -> float:
    """How mixed the letters and digits of a text are, see `MIXED`."""
    kept = [each for each in text if each.isalnum()]
    changes = sum(
        before.isdigit() != after.isdigit() or (before.islower() and after.isupper())
        for before, after in pairwise(kept)
    )
    # Names have one capital before small letters; random texts several.
    changes += sum(
        one.isupper() and two.isupper() and three.islower()
        for one, two, three in zip(kept, kept[1:], kept[2:], strict=False)
    )
    return changes / max(1, len(kept))


def looks_random(token: str) -> bool:
    """Whether a text without blanks is more likely a key than a name."""
    if _DIGITS.search(token):
        return True
    if len(token) < SHORTEST_TOKEN or mixed(token) < MIXED:
        return False
    if _NAME.fullmatch(token):
        # As Kubernetes names pods: words and short tails.
        return any(len(each) >= SHORTEST_TOKEN for each in token.split("-"))
    return True


def unknown(text: str, values: Iterable[str]) -> str:
    """The text without known values alone."""
    for each in values:
        text = text.replace(each, MASK)
    return text


def _token(match: "re.Match[str]") -> str:
    token = match[0]
    # A checksum that says of what kind it is: of an image, of the authority that a join expects.
    if _CHECKSUM.fullmatch(match.string, max(0, match.start() - 7), match.end()):
        return token
    if token.startswith("/") and token.split("/")[1] in _ROOTS:
        return "/".join(MASK if looks_random(each) else each for each in token.split("/"))
    return MASK if looks_random(token) else token


def masked(text: str, values: Iterable[str] = ()) -> str:
    """The text without known values (`known`) and without what looks like a secret."""
    text = unknown(text, values)
    text = _PRIVATE.sub(MASK, text)
    text = _USERINFO.sub(rf"\1{MASK}\3", text)
    text = _ASSIGNED.sub(rf"\1{MASK}", text)
    text = _SPOKEN.sub(rf"\1{MASK}", text)
    text = _BOOTSTRAP.sub(MASK, text)
    text = _UUID.sub(MASK, text)
    return _TOKEN.sub(_token, text)

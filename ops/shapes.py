"""Secrets by what stands around them: a key over several lines, an option, a variable, a header, a
Secret of Kubernetes. Pure; for texts that have left a machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

from ops.scripts import redact
from ops.scripts.redact import MASK

KEY_LINES: Final = 200
"""Lines within which a private key ends; RSA of 8192 bits has 100. Beyond, its end was lost."""
_WORDS: Final = r"passw(?:or)?d|passphrase|pass|pwd|secret|token|credentials?"
_KEYS: Final = r"(?:api|auth|access|private|certificate|encryption)[-_]?key"
_OPTION: Final = re.compile(
    rf"(?i)((?<![\w-])--?(?:[\w-]*[-_])?(?:(?:{_WORDS})(?:[ =]+|\",\s*\")|{_KEYS}(?:[ =]+|\",\s*\")"
    r"(?![\"']?[/.]))[\"']?)([^\s\"',;-][^\s\"',;]*)"
)
"""As in `--token X`, `-password=X` and, of a list of arguments, `"--token", "X"`. Of an option that
is called a key, the value may be a file's path."""
_LOGIN: Final = re.compile(r"((?<!\S)(?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"']+:)([^\s\"']+)")
"""curl(1)."""
_VARIABLE: Final = re.compile(
    rf"(\b(?!PUBLIC_)[A-Za-z][A-Za-z0-9_]*_(?i:{_WORDS}|pw|auth)\b\\?[\"']?\s*[=:]\s*\\?[\"']?"
    r"|\b(?!PUBLIC_)[A-Z][A-Z0-9_]*_KEY\b\\?[\"']?\s*[=:]\s*\\?[\"']?(?![/.]))([^\s\"',;\\]+)"
)
_PAIR: Final = re.compile(
    rf"(name\\?\"?:\s*\\?\"?[A-Za-z][A-Za-z0-9_]*_(?i:{_WORDS}|pw|key)\\?\"?,?\s*"
    r"(?:\S+ \S+ \S+: )?\s*\\?\"?value\\?\"?:\s*\\?\"?)([^\s\"',;\\}]+)"
)
"""A container's variable, in an object of Kubernetes."""
_HEADER: Final = re.compile(
    r"(?i)((?<![\w-])(?:(?:proxy-)?authorization|x-[\w-]*(?:token|key|auth)[\w-]*|(?:set-)?cookie)"
    r"\\?[\"']?\s*:\s*\[?\\?[\"']?)([^\"'\r\n\\\]]+)"
)
"""All of it: a scheme may have several words, a cookie several parts."""
_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_END: Final = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")
_WHOLE: Final = re.compile(rf"{_BEGIN.pattern}.*?{_END.pattern}")
_PAYLOAD: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}\s*$")
_LOGGED: Final = re.compile(
    r"(?:\S+ \S+ \S+?\[\d+\]: |[A-Z][a-z]{2} [ \d]\d [\d:]{8} \S+ \S+?(?:\[\d+\])?: )?"
)
"""What journalctl(1) (`short-iso`) and syslog put before a line."""
_SECRET: Final = re.compile(r"\bkind\\?\"?:\s*\\?\"?Secret\b")
_DATA: Final = re.compile(r"(?:- )?(?:data|stringData):\s*")
_OBJECT: Final = re.compile(r"(\\?\"(?:data|stringData)\\?\"\s*:\s*\{)([^{}]*)(\})")
_MEMBER: Final = re.compile(r"(\\?\"\s*:\s*\\?\")((?:[^\"\\]|\\\\.)*)")
_ENTRY: Final = re.compile(r"([\w.-]+:\s+)(\S.*)")


def masked(text: str, values: Iterable[str] = ()) -> str:
    """The text without known values, what these shapes show and what looks like a secret."""
    return redact.masked(shaped(redact.unknown(text, values)))


def shaped(text: str) -> str:
    """The text without what these shapes show."""
    lines = _without_keys(text.split("\n"))
    if _SECRET.search(text):
        lines = list(_without_data(lines))
    text = "\n".join(lines)
    if _SECRET.search(text):
        text = _OBJECT.sub(lambda found: found[1] + _members(found[2]) + found[3], text)
    for each in (_HEADER, _LOGIN, _OPTION, _PAIR, _VARIABLE):
        text = each.sub(rf"\1{MASK}", text)
    return text


def _members(text: str) -> str:
    return _MEMBER.sub(rf"\1{MASK}", text)


def _without_keys(lines: list[str]) -> list[str]:
    """Lines without the private keys that run over them, each line of a log with what it begins
    with; lines of others in between lose a word at most."""
    found = [_WHOLE.sub(MASK, line) for line in lines]
    begun: int | None = None
    for at, line in enumerate(found):
        if begun is not None and at - begun > KEY_LINES:
            begun = None
        if end := _END.search(line):
            first = max(at - 3, 0) if begun is None else begun
            for before in range(first, at):
                found[before] = _PAYLOAD.sub(MASK, found[before])
            found[at] = line[: end.start()].rstrip("=+/") + MASK + line[end.end() :]
            begun = None
        elif begin := _BEGIN.search(line):
            found[at], begun = line[: begin.start()] + MASK, at
        elif begun is not None and len(_tail(line)) >= redact.SHORTEST_TOKEN:
            found[at] = _PAYLOAD.sub(MASK, line)
    return found


def _tail(line: str) -> str:
    payload = _PAYLOAD.search(line)
    return payload[0].strip() if payload else ""


def _without_data(lines: list[str]) -> Iterator[str]:
    """Lines of objects without the values of `data` and `stringData`: those of a ConfigMap in the
    same text go too."""
    inside: int | None = None
    for line in lines:
        start = _LOGGED.match(line)
        head = start[0] if start else ""
        body = line[len(head) :]
        depth = len(body) - len(body.lstrip(" "))
        if inside is not None and body.strip() and depth <= inside:
            inside = None
        if inside is not None and body.strip():
            entry = _ENTRY.fullmatch(body.strip())
            kept = entry[1] if entry else body.strip() if body.rstrip().endswith(":") else ""
            yield head + " " * depth + kept + ("" if kept.endswith(":") else MASK)
            continue
        if inside is None and _DATA.fullmatch(body.strip()):
            inside = depth + sum(1 for _ in takewhile(lambda each: each in "- ", body[depth:]))
        yield line

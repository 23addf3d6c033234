"""What is wrong with the words of a stack file, before it is asked what they say.

Unlike the models this sees what a person cannot: blanks at the ends, letters that look like others,
control characters, numbers that YAML readers disagree about, secrets in clear. Each finding comes
with what was meant, so that reading can go on with that and the rest is told too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from settings.characters import is_blank, is_control, is_invisible, named, plain, punycode
from settings.models.base import Block, FileText, Form, Hostname, Prose
from settings.problems import ABSENT, Problem, dotted
from settings.shape import alternatives, annotation_at, marks

Location = tuple[str | int, ...]

_WHOLE = 2**63
_HOSTNAME: Final = next(each for each in marks(Hostname) if isinstance(each, Form))
_PRIVATE: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|PRIVATE KEY-----")
_SECRETS: Final = (
    (
        _PRIVATE,
        "is a private key, in clear text",
        "remove it, and replace the key: this one has leaked",
    ),
    (
        re.compile(r"[^\s@!=]@(pam|pve|[a-z]+)![\w.-]+=[0-9a-f]{8}-[0-9a-f]{4}-"),
        "is a Proxmox API token, in clear text",
        "remove it, and make another: this one has leaked",
    ),
    (
        re.compile(r"[a-z0-9+.-]://[^/\s:@]+:[^/\s@]+@"),
        "holds a password, in clear text",
        "remove it from the URL, and replace it: this one has leaked",
    ),
    (
        re.compile(r"\b(gh[pousr]_\w{36}|github_pat_\w{22,}|glpat-[\w-]{20}|AKIA[0-9A-Z]{16})\b"),
        "holds an access token, in clear text",
        "remove it, and make another: this one has leaked",
    ),
    (
        re.compile(r"(?i)\bauthorization\b[\"']?\s*[:=][\s\[\"']*(basic|bearer)\s+\S"),
        "holds a password, in clear text",
        "remove it, and replace it: this one has leaked",
    ),
)
"""What is a secret by its form. Linear in the text, which may be a whole page: no pattern begins
with a run of characters."""


@dataclass(kw_only=True)
class Scan:
    """`problems` by location (counted from `Stack`); `value` is what was meant."""

    value: Any = None
    problems: dict[Location, Problem] = field(default_factory=dict)
    closed: set[Location] = field(default_factory=set)

    def covers(self, location: Location) -> bool:
        """Whether a finding stands at a location, or around it and nothing inside can be read."""
        if location in self.problems:
            return True
        return any(location[:end] in self.closed for end in range(1, len(location)))


def scan(
    sections: Mapping[str, Any],
    ambiguous: Mapping[Location, tuple[str, str]],
    secrets: tuple[str, ...],
) -> Scan:
    """Looks at every key and value of the sections. `ambiguous` are the numbers readers disagree
    about; `secrets` the keys that may be encrypted."""
    reader = _Reader(ambiguous, secrets)
    found = Scan(problems=reader.problems, closed=reader.closed)
    found.value = {name: reader.value((name,), value) for name, value in sections.items()}
    return found


def secret_in(text: str) -> bool:
    """Whether a text is, or holds, a secret by its form."""
    return any(form.search(text) for form, _, _ in _SECRETS)


class _Reader:
    def __init__(
        self, ambiguous: Mapping[Location, tuple[str, str]], secrets: tuple[str, ...]
    ) -> None:
        self.ambiguous = ambiguous
        self.secrets = secrets
        self.problems: dict[Location, Problem] = {}
        self.closed: set[Location] = set()

    def tell(self, here: Location, value: object, wrong: str, right: str) -> None:
        found = Problem(key=dotted(here), value=value, wrong=wrong, right=right)
        self.problems.setdefault(here, found)

    def value(self, here: Location, value: Any) -> Any:
        if here in self.ambiguous and _is(value, self.ambiguous[here][0]):
            return self.number(here, value)
        if isinstance(value, str):
            return self.text(here, value)
        if isinstance(value, Mapping):
            return self.mapping(here, value)
        if isinstance(value, list):
            return [self.value((*here, index), each) for index, each in enumerate(value)]
        if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
            self.tell(here, value, "does not fit 64 bits", "write a smaller number")
        elif isinstance(value, float) and not math.isfinite(value):
            self.tell(here, value, "is not finite", "write an ordinary number")
        return value

    def number(self, here: Location, value: Any) -> Any:
        written, meant = self.ambiguous[here]
        if any(each is str for each in alternatives(annotation_at(here))):
            right = f'put it in quotes: "{shorter(written)}"'
            self.tell(here, written, "is read as a number, by some readers as another one", right)
            return written
        self.tell(here, written, "is not the same number to every reader of YAML", f"write {meant}")
        return value

    def mapping(self, here: Location, value: Mapping[Any, Any]) -> Any:
        if set(value) == {"secure"} and annotation_at((*here, "secure")) in (None, Any):
            right = f"write it in clear; only these are secret: {', '.join(self.secrets)}"
            self.tell(here, ABSENT, "is encrypted", right)
            self.closed.add(here)
            return value
        read: dict[Any, Any] = {}
        for key, each in value.items():
            name = self.key(here, key)
            read.setdefault(name, self.value((*here, name), each))
        return read

    def key(self, here: Location, key: Any) -> str:
        if not isinstance(key, str):
            name = json.dumps(key, default=str)
            self.tell((*here, name), ABSENT, f"the key {name} is not text", "put it in quotes")
            return name
        meant = plain(key).strip()
        free = annotation_at((*here, key))
        if free is None and meant != key and annotation_at((*here, meant)) is not None:
            wrong = odd(key) or "is not written like the key it is"
            self.tell(
                (*here, meant), ABSENT, f"the key {json.dumps(key)} {wrong}", f"write {meant}"
            )
            return meant
        bad = _first_refused(key, free=False)
        if bad is None:
            return key
        name = "".join(each for each in key if not _refused(each, free=False))
        wrong = f"the key {json.dumps(key)} holds {named(bad)}"
        self.tell((*here, name), ABSENT, wrong, f"write {plain(name) or 'something'}")
        return name

    def text(self, here: Location, text: str) -> str:
        annotation = annotation_at(here)
        for form, wrong, right in _SECRETS:
            if form.search(text) or (form is _PRIVATE and _is_key(text, annotation)):
                self.tell(here, ABSENT, wrong, right)
                return text
        kept = tuple(marks(annotation))
        free = annotation in (Any, None) or any(isinstance(each, Block) for each in kept)
        prose = free or any(isinstance(each, Prose) for each in kept)
        bad = _first_refused(text, free=free)
        if bad is not None:
            meant = "".join(each for each in text if not _refused(each, free=free)).strip()
            self.tell(here, json.dumps(text), f"holds {named(bad)}", "remove it")
            return meant
        if free:
            return text
        if (ends := _ends(text)) is not None:
            meant = text.strip()
            right = f"write {shorter(meant)}" if meant else "write something"
            self.tell(here, json.dumps(text, ensure_ascii=False), ends, right)
            text = meant
        if not prose and not text.isascii():
            return self.foreign(here, text, kept)
        return text

    def foreign(self, here: Location, text: str, kept: tuple[Any, ...]) -> str:
        wrong, meant = odd(text), plain(text)
        if meant.isascii():
            self.tell(here, text, wrong or "is not plain text", f"write {shorter(meant)}")
            return meant
        if _HOSTNAME in kept and (asked := punycode(text)) is not None:
            first = next(each for each in text if not each.isascii())
            wrong = f"holds {first} ({named(first)}), and DNS is asked in ASCII"
            self.tell(here, text, wrong, f"write {shorter(asked)}")
            return asked
        form = next((each for each in kept if isinstance(each, Form)), None)
        right = form.right if form is not None else "write ASCII characters"
        self.tell(here, text, wrong or "is not plain text", right)
        return text


def _is_key(text: str, annotation: Any) -> bool:
    """Whether a piece of a private key stands where a public one belongs."""
    return annotation not in (Any, FileText) and "PRIVATE KEY" in text


def _is(value: Any, written: str) -> bool:
    """Whether a value is the number that a file has there, and nothing that was put in since."""
    digits = written.lstrip("+-").replace("_", "")
    return value == written or (isinstance(value, int) and str(abs(value)) == digits.lstrip("0"))


def _first_refused(text: str, *, free: bool) -> str | None:
    # What prints whole, as nearly every text does, holds none: it need not be looked through.
    if text.isprintable():
        return None
    return next((each for each in text if _refused(each, free=free)), None)


def _refused(character: str, *, free: bool) -> bool:
    if character in "\n\t" and free:
        return False
    return is_control(character) or is_invisible(character)


def _ends(text: str) -> str | None:
    for at, where in ((-1, "ends in"), (0, "starts with")):
        if text and is_blank(text[at]):
            return f"{where} a blank ({named(text[at])})"
    return None


def odd(text: str) -> str | None:
    """What is odd about a text that looks like plain ASCII."""
    for each in text:
        if is_control(each) or is_invisible(each):
            return f"holds {named(each)}"
        if not each.isascii():
            like = plain(each)
            alike = f", which looks like {like}" if like.isascii() and not like.isspace() else ""
            return f"holds {each} ({named(each)}{alike})"
    return _ends(text)


def shorter(text: str) -> str:
    """A value to write, cut when it is long."""
    return text if len(text) <= 100 else f"{text[:97]}..."

"""The keys of a configuration: which section each is, and which are none."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from settings.characters import plain
from settings.keys import PROVIDERS, RENAMED, SECRETS, SECTIONS
from settings.problems import (
    ABSENT,
    MOST_TOLD,
    NAMESPACE,
    Problem,
    dotted,
    shorten,
    untold,
)
from settings.scan import odd, secret_in
from settings.words import closest, nearest

_CIPHERTEXT = re.compile(r"v\d+:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+|[A-Za-z0-9+/=_-]{16,}")
"""What the engine writes: salted (`v1:NONCE:DATA`) or a service's base64."""
_NEARNESS = 0.7
VALID: Final = (*SECTIONS, *SECRETS)


@dataclass(kw_only=True)
class Given:
    """The sections of a configuration, whatever their keys were spelt like.

    `spelt` is the whole key each section was written as.
    """

    sections: dict[str, Any] = field(default_factory=dict)
    spelt: dict[str, str] = field(default_factory=dict)
    sealed: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def is_sealed(value: object) -> bool:
    """Whether a value is ciphertext, as `pulumi config set --secret` writes it."""
    return isinstance(value, dict) and set(value) == {"secure"}


def given(config: Mapping[str, Any]) -> Given:
    """The sections in a configuration, with every problem of its keys."""
    found = Given()
    for number, key in enumerate(sorted(config, key=lambda each: each != _right(each))):
        if len(found.problems) >= MOST_TOLD:
            found.problems.append(untold(len(config) - number))
            break
        _take(found, key, config[key])
    order = {key: number for number, key in enumerate(config)}
    found.problems.sort(key=lambda each: order.get(each.key, -1))
    for section, old, new, values in RENAMED:
        _renamed(found, section, old, new, values)
    return found


def _right(key: str) -> str | None:
    """The key itself when it is one of the program's own, well spelt."""
    namespace, _, name = key.partition(":")
    return key if namespace == NAMESPACE and name in VALID else None


def _take(found: Given, key: str, value: Any) -> None:
    namespace, colon, name = key.partition(":")
    if _right(key) is None:
        fault, name = _misspelt(key, namespace, colon, name)
        if fault is None:
            if isinstance(value, str) and secret_in(value):
                right = f"remove it, and replace it; then: pulumi config set --secret {key}"
                told = "is a secret in clear text"
                found.problems.append(Problem(key=key, wrong=told, right=right))
            return
        found.problems.append(fault)
        if name not in VALID or (name in SECTIONS and name in found.sections):
            return
        if name in SECRETS:
            return
    if name in SECRETS:
        if (wrong := _secret(key, value)) is not None:
            found.problems.append(wrong)
    elif is_sealed(value):
        found.sealed.add(name)
        right = f"write it in clear; only these are secret: {', '.join(SECRETS)}"
        found.problems.append(Problem(key=key, wrong="is encrypted", right=right))
    else:
        found.sections[name] = value
        found.spelt[name] = key


def _misspelt(key: str, namespace: str, colon: str, name: str) -> tuple[Problem | None, str]:
    """What is wrong with a key, and the name it was meant for; no problem with another's key."""
    plainly = key.strip() == key != "" and key.isprintable() and key.isascii()
    shown = shorten(key if plainly else json.dumps(key))
    meant = plain(key).strip()
    if meant != key and _right(meant) is not None:
        wrong = odd(key) or "is not written like the key it is"
        return Problem(key=shown, wrong=wrong, right=f"write {meant}"), meant.partition(":")[2]
    if not colon:
        return _bare(key, shown)
    if namespace == NAMESPACE:
        return _unknown(name, shown)
    return _of_another(namespace, name, shown)


def _bare(key: str, shown: str) -> tuple[Problem, str]:
    if key == NAMESPACE:
        right = f"write {NAMESPACE}:NAME as one word, without a blank after the colon"
        return Problem(key=shown, wrong="is the namespace alone", right=right), ""
    right = f"write {NAMESPACE}:{key}" if key in VALID else nearest(key, VALID)
    return Problem(key=shown, wrong="has no namespace", right=right), key


def _unknown(name: str, shown: str) -> tuple[Problem, str]:
    path, dot, _ = name.partition(".")
    if dot and path in SECTIONS:
        right = f"write it as a key inside {NAMESPACE}:{path}"
        return Problem(key=shown, wrong="is not a key here", right=right), ""
    meant = closest(name, VALID) or ""
    return Problem(key=shown, wrong="is not a key here", right=nearest(name, VALID)), meant


def _of_another(namespace: str, name: str, shown: str) -> tuple[Problem | None, str]:
    folded = re.sub(r"[^a-z0-9]", "", namespace.lower())
    ours = re.sub(r"[^a-z0-9]", "", NAMESPACE)
    near = difflib.SequenceMatcher(None, folded, ours).ratio() >= _NEARNESS
    if not near and (name not in VALID or namespace in PROVIDERS):
        return None, name
    right = f"write {NAMESPACE}:{name}" if name in VALID else nearest(name, VALID)
    wrong = f"is of the namespace {namespace}, which nothing here reads"
    return Problem(key=shown, wrong=wrong, right=right), name


def _secret(key: str, value: object) -> Problem | None:
    set_it = f"remove it, then: pulumi config set --secret {key}"
    if not is_sealed(value):
        wrong = "is a secret in clear text" if value not in (None, "") else "is empty"
        return Problem(key=key, value=ABSENT, wrong=wrong, right=set_it)
    text = value["secure"] if isinstance(value, dict) else None
    if not isinstance(text, str) or not text.strip():
        return Problem(key=key, wrong="has no ciphertext", right=set_it)
    if secret_in(text) or _CIPHERTEXT.fullmatch(text.strip()) is None:
        wrong = "is no ciphertext (its value is not shown)"
        return Problem(key=key, wrong=wrong, right=set_it)
    return None


def _renamed(found: Given, section: str, old: str, new: str, values: Mapping[str, str]) -> None:
    """A key that has another name since: read as that, with a warning."""
    holder = found.sections.get(section)
    if not isinstance(holder, dict) or old not in holder or new in holder:
        return
    value = holder[old]
    became = values.get(value, value) if isinstance(value, str) else value
    found.sections[section] = {
        (new if key == old else key): (became if key == old else each)
        for key, each in holder.items()
    }
    found.warnings.append(
        Problem(
            key=dotted((section, old)),
            value=value,
            wrong=f"is called {section}.{new} now",
            right=f"write {new}: {became}",
        )
    )

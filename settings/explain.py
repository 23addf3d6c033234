"""`python -m settings explain KEY`: one key in full."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from textwrap import fill

from settings.bounds import ranges
from settings.document import default_of, kind_of, plain
from settings.effects import EFFECTS, effect_of
from settings.examples import line
from settings.keys import SECRETS, command
from settings.problems import NAMESPACE
from settings.reference import Key, bare, every_key, find
from settings.shape import is_list

_NEAREST = 5
_WIDTH = 100


def explain(written: str) -> str:
    """Everything there is to say about a key, a line or a paragraph each.

    Raises:
        KeyError: no such key; its one argument names the nearest.
    """
    name = bare(written)
    if name in SECRETS:
        return _told(f"{NAMESPACE}:{name}", _secret(name))
    key = find(written)
    if key is None:
        raise KeyError(_unknown(written, name))
    return _told(f"{NAMESPACE}:{key.path}", _key(key))


def _told(head: str, parts: Iterator[tuple[str, str]]) -> str:
    lines = [head]
    for label, text in parts:
        lead = f"  {label + ':':<10}"
        whole = label == "example"
        lines.append(
            f"{lead}{text}"
            if whole
            else fill(
                text,
                _WIDTH,
                initial_indent=lead,
                subsequent_indent=" " * len(lead),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines) + "\n"


def _key(key: Key) -> Iterator[tuple[str, str]]:
    yield "meaning", plain(key.field.description)
    if key.model is None:
        yield "type", kind_of(key.field.annotation).replace("`", "")
    else:
        yield "type", "list of sections" if is_list(key.annotation) else "section"
        if plain(key.model.__doc__) != plain(key.field.description):
            yield "each" if is_list(key.annotation) else "section", plain(key.model.__doc__)
        yield "keys", ", ".join(key.model.model_fields)
    for each in ranges(key.annotation, key.field):
        yield "range", each
    if key.field.is_required():
        yield "required", "yes"
    else:
        yield "required", "no"
        yield "default", default_of(key.field).replace("`", "")
    yield "example", line(key)
    yield from _changes(key)


def _changes(key: Key) -> Iterator[tuple[str, str]]:
    """Of a section that has no answer of its own, what each key in it does."""
    if (answer := effect_of(key.path)) is not None:
        yield "change", answer
        return
    together: dict[str, list[str]] = {}
    for name in key.model.model_fields if key.model else ():
        inner = effect_of(f"{key.items}.{name}") or "that of its keys; explain one of them"
        together.setdefault(inner, []).append(name)
    for answer, names in together.items():
        yield "change", f"{', '.join(names)}: {answer}"


def _secret(name: str) -> Iterator[tuple[str, str]]:
    meaning = SECRETS[name]
    yield "meaning", f"{meaning[0].upper()}{meaning[1:]}."
    yield "type", "secret: ciphertext in the file, asked for by Pulumi, never written by hand"
    yield "required", "by stacks that use it; `python -m settings check` says whether yours does"
    yield "example", command(name, "STACK")
    yield "change", EFFECTS[name]


def _unknown(written: str, name: str) -> str:
    known = [*every_key(), *SECRETS]
    near = difflib.get_close_matches(name, known, _NEAREST, 0.6)
    last = name.rpartition(".")[2]
    near += [each for each in known if each.rpartition(".")[2] == last and each not in near]
    if not near:
        lasts = {each.rpartition(".")[2] for each in known}
        close = difflib.get_close_matches(last, sorted(lasts), 1, 0.6)
        near = [each for each in known if each.rpartition(".")[2] in close]
    right = ", ".join(near[:_NEAREST]) or "see docs/settings.md, or `python -m settings tables`"
    return f"{written}: is no key of a stack; nearest: {right}"

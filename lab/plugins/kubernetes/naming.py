"""Names: generated ones for objects and releases that have none, kept from run to run."""

from __future__ import annotations

import hashlib
import secrets

from lab.plugins.kubernetes.objects import (
    AUTONAMED,
    Obj,
    marked,
    name_of,
    pluck,
    with_metadata,
)
from lab.plugins.server import UNKNOWN, CheckFailed

SUFFIX_LENGTH = 8
"""Hexadecimal digits of a generated name, as Pulumi's `NewUniqueName` makes them."""


def unique_name(prefix: str, seed: bytes) -> str:
    """`prefix-` and eight hexadecimal digits, the same for the same seed (random without one)."""
    digits = (
        hashlib.sha256(prefix.encode() + b"\0" + seed).hexdigest()
        if seed
        else secrets.token_hex(SUFFIX_LENGTH)
    )
    return f"{prefix}-{digits[:SUFFIX_LENGTH]}"


def is_named(obj: Obj) -> bool:
    """Whether the object has a name, or will have one that is not known yet."""
    return (
        obj.get("metadata") is UNKNOWN
        or pluck(obj, "metadata", "name") is UNKNOWN
        or bool(name_of(obj))
    )


def is_autonamed(obj: Obj) -> bool:
    return marked(obj, AUTONAMED)


def assign(news: Obj, olds: Obj, resource_name: str, seed: bytes) -> Obj:
    """The inputs with a name: their own, else the one generated earlier, else a new one.

    A generated name is marked by the annotation `pulumi.com/autonamed`, so that a replacement
    knows that it may choose another. Raises CheckFailed for `generateName`, which server-side
    apply does not support.
    """
    if is_named(news):
        return news
    if pluck(news, "metadata", "generateName"):
        raise CheckFailed(
            {
                "metadata.generateName": "is not supported in server-side apply mode; "
                "set metadata.name, or leave both out for a generated name"
            }
        )
    kept = name_of(olds) if is_autonamed(olds) else ""
    name = kept or unique_name(resource_name, seed)
    annotations = pluck(news, "metadata", "annotations")
    if annotations is UNKNOWN:
        return with_metadata(news, name=name)
    return with_metadata(news, name=name, annotations={**(annotations or {}), AUTONAMED: "true"})

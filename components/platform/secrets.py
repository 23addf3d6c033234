"""The platform's Secrets, and their values in lines NAMESPACE/NAME/KEY=VALUE. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.platform.addon import Form, Object


def value(reference: str, text: str) -> str:
    """What the line of NAMESPACE/NAME/KEY says; `KeyError` where there is none, which settings
    refuse before."""
    return dict(line.split("=", 1) for line in text.strip().split("\n") if line)[reference]


def filled(here: str, keys: Sequence[str], form: Form, lines: str) -> dict[str, str]:
    """The values of the Secret NAMESPACE/NAME that the lines have, by its keys, or the texts that
    are made of them; `KeyError` where a line is missing, which settings refuse before."""
    known = {key: value(f"{here}/{key}", lines) for key in keys}
    return {key: text.format(**known) for key, text in form.texts.items()} or known


def manifest(
    namespace: str,
    name: str,
    values: Mapping[str, Any],
    type_: str = "Opaque",
    labels: Mapping[str, str] | None = None,
) -> Object:
    """A Secret; its values may arrive late."""
    told = {"labels": {**labels}} if labels else {}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, **told},
        "type": type_,
        "stringData": {**values},
    }

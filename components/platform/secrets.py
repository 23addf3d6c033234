"""The platform's Secrets, and their values in lines NAMESPACE/NAME/KEY=VALUE. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.platform.addon import Object


def value(reference: str, text: str) -> str:
    """What the line of NAMESPACE/NAME/KEY says; `KeyError` where there is none, which settings
    refuse before."""
    return dict(line.split("=", 1) for line in text.strip().split("\n") if line)[reference]


def manifest(namespace: str, name: str, values: Mapping[str, Any], type_: str = "Opaque") -> Object:
    """A Secret; its values may arrive late."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": type_,
        "stringData": {**values},
    }

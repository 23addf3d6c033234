"""Names of container images."""

from __future__ import annotations

from typing import Annotated

from settings.models.base import Form

ImageName = Annotated[
    str,
    Form(
        r"([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?",
        "is no container image",
        "write HOST/PATH:TAG or HOST/PATH@sha256:DIGEST",
    ),
]
"""A reference (distribution's grammar)."""

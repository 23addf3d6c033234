"""Texts in PEM (RFC 7468), cut into the pieces that belong together. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """One certificate chain, leaf first, and the private key that stands behind it."""

    chain: str
    key: str

    @property
    def text(self) -> str:
        """Both, as HAProxy reads them (configuration manual, `crt`)."""
        return f"{self.chain}{self.key}"


def bundles(text: str) -> list[Bundle]:
    """The chains of a text with their keys, in its order: each private key ends one. Certificates
    behind the last key belong to none and are left out, as are parameters of curves."""
    found: list[Bundle] = []
    chain = ""
    for block in _BLOCK.finditer(text):
        if block[1] == "CERTIFICATE":
            chain += f"{block[0]}\n"
        elif block[1].endswith("PRIVATE KEY"):
            found.append(Bundle(chain=chain, key=f"{block[0]}\n"))
            chain = ""
    return found

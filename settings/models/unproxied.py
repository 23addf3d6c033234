"""Records of a managed zone that lead past the CDN, beside those of the service."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from settings.models.base import Form, Strict, Unit

RecordName = Annotated[
    str,
    Form(
        r"(?=.{1,253}$)(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "is no name of a record",
        "write a whole name in lower case such as mail.example.org or _dmarc.example.org",
    ),
]
"""A name in DNS, which unlike a host's may have underscores (RFC 8552); may start with `*.`."""

LEADING: Final = ("A", "AAAA", "CNAME")
"""Types that say where a name leads."""
LONGEST_TXT: Final = 3800
"""Bytes of a TXT record, so that it and its name fit into the 4,096 that Cloudflare takes of a
record (its documentation, "DNS record types")."""


class UnproxiedRecord(Strict):
    """One record that everybody is answered with as it is written."""

    name: RecordName
    """Its whole name, in `cdn.zone`."""
    type: Literal["A", "AAAA", "CNAME", "TXT"]
    """What it holds."""
    content: str = Field(min_length=1)
    """An address, another name, or the text itself, without the quotes of a zone file."""
    ttl: Annotated[int, Unit("seconds")] | None = Field(default=None, ge=60, le=86_400)
    """How long resolvers keep it; null leaves it to Cloudflare (300 s)."""

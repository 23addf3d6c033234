"""URLs that something fetches."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from settings.models.addresses import IPV4_ONLY, IPV4_ONLY_RIGHT, is_ipv6
from settings.models.base import Form, fault


def reachable(url: str) -> str:
    """The URL itself; raises `fault` for one that cannot be read or names an IPv6 address."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        raise fault("is not a URL", "write SCHEME://HOST/PATH") from None
    if ":" in host and is_ipv6(host):
        raise fault(IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="address or a name"))
    return url


WebUrl = Annotated[
    str,
    Form(r"https?://.+", "is not a URL", "write http:// or https:// first"),
    AfterValidator(reachable),
]
"""Fetched over HTTP."""

ApiUrl = Annotated[
    str,
    Form(r"https://[^/]+/?", "is no API endpoint", "write https://HOST:8006/ without a path"),
    AfterValidator(reachable),
]
"""Proxmox' API."""

ChartUrl = Annotated[
    str,
    Form(r"(https?|oci)://.+", "is no chart repository", "write https://, http:// or oci:// first"),
    AfterValidator(reachable),
]
"""A repository of Helm charts."""

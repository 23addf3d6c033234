"""URLs that something fetches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

from settings.models.addresses import IPV4_ONLY, IPV4_ONLY_RIGHT, is_address, is_ipv6
from settings.models.base import Checked, fault

_HOST = re.compile(r"(?=.{1,253}$)([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.?)+")


@dataclass(frozen=True)
class Url(Checked):
    """The form of a URL (RFC 3986) by its schemes."""

    schemes: tuple[str, ...]
    wrong: str = "is not a URL"
    users: bool = False
    """Whether it may name a user, or whoever asks for it refuses that in its own words."""
    queries: bool = True
    """Whether something may stand behind its path."""

    def check(self, text: str) -> str:
        """The URL itself; raises `fault` for one that nothing could be fetched from."""
        if not text.startswith(tuple(f"{each}://" for each in self.schemes)):
            first = " or ".join(f"{each}://" for each in self.schemes)
            other = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text)
            wrong = self.wrong if other is None else f"is not {first}"
            copied = re.fullmatch(r"[a-z0-9_.-]{1,40}@([A-Za-z0-9.-]{1,253}):([^\s:]{1,400})", text)
            if copied is not None and self.users:
                user = f"{text.partition('@')[0]}@" if self.schemes == ("ssh",) else ""
                place = f"{user}{copied[1]}/{copied[2].lstrip('/')}"
                raise fault(wrong, f"write {self.schemes[-1]}://{place}")
            raise fault(wrong, f"write {first} first")
        if re.search(r"[\s<>\"{}|\\^`]", text):
            raise fault(
                "holds characters that no URL has", "write one URL an item, %20 for a blank"
            )
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            if "ort" in str(error):
                raise fault("has no such port", "write a port of 1 to 65535") from None
            raise fault("is not a URL", "write SCHEME://HOST/PATH") from None
        if ":" in host and is_ipv6(host):
            raise fault(IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="address or a name"))
        numeric = host.replace(".", "").isdigit()
        if not host or _HOST.fullmatch(host) is None or (numeric and not is_address(host)):
            raise fault("names no host", f"write {self.schemes[-1]}://HOST/PATH")
        if port == 0:
            raise fault("has no such port", "write a port of 1 to 65535")
        if parts.username is not None and not self.users:
            raise fault("names a user, which nobody logs in as", "remove what stands before the @")
        if (parts.query or parts.fragment) and not self.queries:
            raise fault("has something behind its path", f"write {text.partition('?')[0]}")
        return text

    @property
    def schema_pattern(self) -> str:
        """One of the schemes, and something without a blank after it."""
        return f"^({'|'.join(self.schemes)})://[^\\s]+$"


def _bare(url: str) -> str:
    """Proxmox' API is at the root, and listens on no port that HTTPS has by itself."""
    parts: SplitResult = urlsplit(url)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise fault("is no API endpoint", "write https://HOST:8006/ without a path")
    if parts.port is None:
        raise fault(
            "names no port, and would be asked at 443",
            f"write https://{parts.hostname}:8006/ (or :443 where a proxy answers)",
        )
    return url


WebUrl = Annotated[str, Url(("http", "https"))]
"""Fetched over HTTP."""

SecureUrl = Annotated[str, Url(("https",))]
"""Fetched over HTTPS alone."""


def _rooted(url: str) -> str:
    """A bucket is named beside it, and goes behind it or before it."""
    if urlsplit(url).path not in ("", "/"):
        bare = url.partition("://")[0] + "://" + urlsplit(url).netloc
        raise fault("has a path, where the bucket goes", f"write {bare}")
    return url


def _directory(url: str) -> str:
    if urlsplit(url).path in ("", "/"):
        raise fault("is no ACME directory", "write its whole URL, such as https://HOST/directory")
    return url


BaseUrl = Annotated[str, Url(("http", "https"), queries=False)]
"""Of an API: its paths go behind it."""

StoreUrl = Annotated[BaseUrl, AfterValidator(_rooted)]
"""Of who serves buckets by S3."""

DirectoryUrl = Annotated[BaseUrl, AfterValidator(_directory)]
"""Of an ACME server (RFC 8555, section 7.1.1)."""

ApiUrl = Annotated[str, Url(("https",)), AfterValidator(_bare)]
"""Proxmox' API, with its port."""

"""Names of certificates and of DNS zones."""

from __future__ import annotations

from collections.abc import Iterable


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate name covers a host name; `*` is one label (RFC 6125, 6.4.3)."""
    if pattern == name:
        return True
    if not pattern.startswith("*.") or name.startswith("*."):
        return False
    _, _, rest = name.partition(".")
    return rest == pattern[2:]


def inside(zone: str, name: str) -> bool:
    """Whether a name (or wildcard) belongs to a DNS zone."""
    return name == zone or name.endswith(f".{zone}")


def covered(names: Iterable[str], name: str) -> bool:
    """Whether one of several certificate names covers a host name."""
    return any(covers(pattern, name) for pattern in names)

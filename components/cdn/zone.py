"""What stands in the zone under the stack's names, and whose it is. Pure.

A name with an address record of ours and one of somebody else's leads half of the visitors to
either, and Cloudflare says nothing of it; beside a CNAME it refuses ours (code 81053), last of all
that an update does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from settings.models import Cdn


def settings_of(cdn: Cdn) -> Mapping[str, object]:
    """What the stack sets for the whole zone, by Cloudflare's names (API, "Edit zone setting"): a
    stack that does not own it sets nothing."""
    if not cdn.owns_zone:
        return {}
    found: dict[str, object] = {"ssl": cdn.ssl, "min_tls_version": cdn.min_tls_version}
    if cdn.always_use_https:
        found["always_use_https"] = "on"
    if cdn.hsts is not None:
        promised = {**cdn.hsts.model_dump(), "enabled": True, "nosniff": False}
        found["security_header"] = {"strict_transport_security": promised}
    return found


LEADING = ("A", "AAAA", "CNAME", "NS")
"""Types of records that say where a name leads. Others (MX, TXT, CAA) may stand beside ours."""


_ADDRESSES = {4: "A", 6: "AAAA"}
"""Types of records that name an address, by its family (RFC 1035, RFC 3596)."""


def type_of(origin: IPv4Address | IPv6Address) -> str:
    """The type of the record that names an address."""
    return _ADDRESSES[origin.version]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A record of the zone; `name` is the whole one."""

    name: str
    type: str
    content: str
    comment: str


def leading(found: Iterable[Found], zone: str) -> Iterator[Found]:
    """Those that say where a name leads; the zone's own NS records do not."""
    for each in found:
        if each.type in LEADING and not (each.type == "NS" and each.name == zone):
            yield each


def ours(found: Found, mark: str) -> bool:
    """Whether this stack made it, or was handed it: an address record with the stack's `mark` for a
    comment. It makes no others."""
    return found.type in _ADDRESSES.values() and found.comment == mark


def refusals(found: Iterable[Found], *, zone: str, mark: str) -> list[str]:
    """A sentence, with the ways out, for each record that somebody else has under our names."""
    return [
        f"{each.name}: the zone {zone} holds {each.type} {each.content} under this name already"
        f"{f' ({each.comment})' if each.comment else ''}, and this stack did not make it. Delete "
        "it there (DNS, Records), and the next update makes ours; or, to serve on without a gap, "
        "make it an A record for the public VIP, proxied, with the comment "
        f"{mark}: it is taken over then"
        for each in leading(found, zone)
        if not ours(each, mark)
    ]


def strays(
    found: Iterable[Found], *, zone: str, mark: str, origins: Sequence[IPv4Address | IPv6Address]
) -> list[str]:
    """A sentence for each record of ours that leads elsewhere than now. An update that moves a
    public VIP takes it away; one that no state knows stays for ever."""
    here = {str(each) for each in origins}
    return [
        f"{each.name}: the zone {zone} holds {each.type} {each.content}, made by this stack, which "
        "is none of its public VIPs. It goes with this update; if the next one says so again, no "
        "state knows it: delete it there"
        for each in leading(found, zone)
        if ours(each, mark) and each.content not in here
    ]

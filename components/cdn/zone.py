"""What stands in the zone under the stack's names, and whose it is. Pure.

A name with an address record of ours and one of somebody else's leads half of the visitors to
either, and Cloudflare says nothing of it; beside a CNAME it refuses ours (code 81053), last of all
that an update does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from settings.models import Cdn, UnproxiedRecord


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


def ours(found: Found, mark: str, unproxied: Iterable[UnproxiedRecord] = ()) -> bool:
    """Whether this stack made it, or was handed it: an address record with the stack's `mark` for a
    comment, or a CNAME under a name that is to have one. It makes no others that lead anywhere."""
    aliases = [each.name for each in unproxied if each.type == "CNAME"]
    known = found.type in _ADDRESSES.values() or (found.type == "CNAME" and found.name in aliases)
    return known and found.comment == mark


_STRING = 255
"""Bytes of one character-string (RFC 1035, section 3.3)."""


def content_of(record: UnproxiedRecord) -> str:
    """What it holds, as Cloudflare's API has it: a TXT record as quoted strings ("Create DNS
    Record")."""
    if record.type != "TXT":
        return record.content
    pieces = range(0, len(record.content), _STRING)
    return " ".join(f'"{_escaped(record.content[at : at + _STRING])}"' for at in pieces)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def called(record: UnproxiedRecord) -> str:
    """The name of its resource: a CNAME changes in place, as nothing may stand beside it; of the
    others a name has several, told apart by what they hold."""
    name = f"unproxied-{record.name}-{record.type}"
    if record.type == "CNAME":
        return name
    return f"{name}-{hashlib.sha256(record.content.encode()).hexdigest()[:8]}"


def refusals(
    found: Iterable[Found],
    *,
    zone: str,
    mark: str,
    records: Iterable[str] = (),
    unproxied: Sequence[UnproxiedRecord] = (),
) -> list[str]:
    """A sentence, with the ways out, for each record that somebody else has under our names."""
    past = {each.name for each in unproxied if each.type in LEADING}
    texts = {each.name for each in unproxied} - past - set(records)
    return [
        f"{each.name}: the zone {zone} holds {each.type} {each.content} under this name already"
        f"{f' ({each.comment})' if each.comment else ''}, and this stack did not make it. Delete "
        "it there (DNS, Records), and the next update makes ours; or, to serve on without a gap, "
        f"make it {_handed(each.name in past)}, with the comment {mark}: it is taken over then"
        for each in leading(found, zone)
        if not ours(each, mark, unproxied)
        # Beside a text a name may lead anywhere; beside a CNAME nothing stands.
        and not (each.name in texts and each.type != "CNAME")
    ]


def _handed(past: bool) -> str:
    return "what cdn.unproxied says" if past else "an A record for the public VIP, proxied"


def strays(
    found: Iterable[Found],
    *,
    zone: str,
    mark: str,
    origins: Sequence[IPv4Address | IPv6Address],
    unproxied: Iterable[UnproxiedRecord] = (),
) -> list[str]:
    """A sentence for each record of ours that leads elsewhere than now. An update that moves a
    public VIP takes it away; one that no state knows stays for ever."""
    here = {str(each) for each in origins}
    past = {(each.name, each.content) for each in unproxied}
    return [
        f"{each.name}: the zone {zone} holds {each.type} {each.content}, made by this stack, which "
        "is none of its public VIPs. It goes with this update; if the next one says so again, no "
        "state knows it: delete it there"
        for each in leading(found, zone)
        if ours(each, mark) and each.content not in here and (each.name, each.content) not in past
    ]

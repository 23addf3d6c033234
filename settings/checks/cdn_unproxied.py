"""Records that lead past the CDN: what they hold, and what may stand beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.checks.names import inside
from settings.checks.registry import doubts, reads
from settings.models.addresses import is_address, is_any_address
from settings.models.base import Hostname
from settings.models.cdn import kinds_that
from settings.models.stack import Stack
from settings.models.unproxied import LEADING, LONGEST_TXT, UnproxiedRecord
from settings.problems import ABSENT, Problem, problem
from settings.shape import marks

_KEY = "cdn.unproxied"
_HOSTNAME = next(each.pattern for each in marks(Hostname) if hasattr(each, "pattern"))


def _each(stack: Stack) -> Iterator[tuple[str, UnproxiedRecord]]:
    for index, record in enumerate(stack.cdn.unproxied):
        yield f"{_KEY}[{index}]", record


@reads("cdn")
def unproxied_records_belong_to_the_zone(stack: Stack) -> Iterator[Problem]:
    """They are made in a zone that is managed, each once."""
    cdn = stack.cdn
    if cdn.unproxied and not cdn.traits.managed:
        yield problem(
            _KEY,
            ABSENT,
            f"leads past no CDN whose zone is managed: cdn.kind is {cdn.kind}",
            f"remove it, or set cdn.kind to {kinds_that('managed')}",
        )
        return
    for index, (path, record) in enumerate(_each(stack)):
        if cdn.zone is None:
            yield problem(f"{path}.name", record.name, "has no zone to be made in", "set cdn.zone")
        elif not inside(cdn.zone, record.name):
            yield problem(
                f"{path}.name",
                record.name,
                f"is no name of the zone, {cdn.zone}",
                f"write one below {cdn.zone}, or {cdn.zone} itself",
            )
        same = (record.name, record.type, record.content)
        if same in [(each.name, each.type, each.content) for each in cdn.unproxied[:index]]:
            yield problem(path, ABSENT, "stands twice", "write each record once")


@reads("cdn")
def unproxied_records_hold_what_their_type_says(stack: Stack) -> Iterator[Problem]:
    """Cloudflare would refuse them last of all that an update does."""
    for path, record in _each(stack):
        wrong, right = _content(record)
        if wrong:
            yield problem(f"{path}.content", record.content, wrong, right)


def _content(record: UnproxiedRecord) -> tuple[str, str]:
    text = record.content
    if record.type == "TXT":
        return _text(text)
    if record.type == "CNAME":
        if not re.fullmatch(_HOSTNAME, text):
            return "is no host name, which a record of type CNAME holds", "write one in lower case"
        return ("leads to itself", "write another name") if text == record.name else ("", "")
    if record.type == "A" and not is_address(text):
        return "is no IPv4 address, which a record of type A holds", "write one"
    if record.type == "AAAA" and not _is_address6(text):
        return "is no IPv6 address, which a record of type AAAA holds", "write one"
    return "", ""


def _text(text: str) -> tuple[str, str]:
    if text.startswith('"'):
        return "begins with a quote, as in a zone file", "write the text without its quotes"
    if len(text.encode()) > LONGEST_TXT:
        return f"is longer than {LONGEST_TXT} bytes", "write a shorter text"
    return "", ""


def _is_address6(text: str) -> bool:
    return is_any_address(text) and not is_address(text) and "%" not in text


@reads("cdn", "services")
def a_name_leads_one_way(stack: Stack) -> Iterator[Problem]:
    """Beside a CNAME nothing stands (RFC 1034, section 3.6.2), and a name leads through the CDN or
    past it."""
    service = stack.published.records
    aliases = [each.name for each in stack.cdn.unproxied if each.type == "CNAME"]
    for path, record in _each(stack):
        others = [each for each in stack.cdn.unproxied if each.name == record.name]
        if record.type in LEADING and record.name in service:
            yield problem(
                f"{path}.name",
                record.name,
                "leads through the CDN (cdn.records, services), and visitors would come either way",
                "write another name, or take it out there",
            )
        elif record.type != "CNAME" and record.name in aliases:
            yield problem(
                f"{path}.name",
                record.name,
                f"is a CNAME too ({_KEY}), beside which nothing stands",
                "write either",
            )
        elif record.type == "CNAME" and any(
            each.type == "CNAME" for each in others[: others.index(record)]
        ):
            yield problem(
                f"{path}.name", record.name, "has a CNAME already", "write one for each name"
            )


@doubts("cdn", "routers")
def the_origin_stays_hidden(stack: Stack) -> Iterator[Problem]:
    """An address that everybody is told can be flooded past the CDN, whatever the firewall drops.
    Where ports lead past the balancers, it must be told."""
    if not stack.cdn.traits.present or stack.routers.forwards:
        return
    public = {str(each) for vip in stack.routers.vips for each in [*vip.wan, *vip.wan6]}
    for path, record in _each(stack):
        if record.content in public:
            yield problem(
                f"{path}.content",
                record.content,
                "is a public VIP (routers.vips), which the CDN hides: everybody is told it",
                "list the name in cdn.records, unless it is reached by something else than HTTP",
            )

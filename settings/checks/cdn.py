"""The CDN by itself: its ranges, its records, its header."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.names import inside
from settings.checks.registry import doubts, reads
from settings.models.cdn import WIDEST_CDN_PREFIX, RangesRefused, usable_ranges
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("cdn")
def kind_has_what_it_needs(stack: Stack) -> Iterator[Problem]:
    """`cloudflare` is asked for its ranges; `listed` has a list, and no zone to manage.

    Another CDN passes Cloudflare's header on as the client wrote it, so its own must be named.
    """
    cdn = stack.cdn
    if cdn.kind == "cloudflare":
        if cdn.range_list:
            yield problem(
                "cdn.range_list",
                [str(each) for each in cdn.range_list],
                "is not used while cdn.kind is cloudflare",
                "remove it, or set cdn.kind to listed",
            )
        return
    if not cdn.range_list:
        yield problem(
            "cdn.range_list",
            [],
            "is empty: nobody could reach the service",
            "list the CDN's IPv4 ranges, or set cdn.kind to cloudflare",
        )
    if cdn.zone is not None:
        yield problem(
            "cdn.zone",
            cdn.zone,
            f"is not managed while cdn.kind is {cdn.kind}",
            "remove it with its records, or set cdn.kind to cloudflare",
        )
    if "client_ip_header" not in cdn.model_fields_set:
        yield problem(
            "cdn.client_ip_header",
            cdn.client_ip_header,
            "is only a default, Cloudflare's: another CDN lets anybody write it",
            "name the header in which this CDN, and only it, names the client",
        )


@reads("cdn")
def ranges_are_a_cdns(stack: Stack) -> Iterator[Problem]:
    """Never everybody: these sources' client header is believed."""
    cdn = stack.cdn
    if cdn.kind == "cloudflare":
        return  # its ranges are asked for, and judged then
    narrow: list[str] = []
    for index, given in enumerate(cdn.range_list):
        if _usable([str(given)]):
            narrow.append(str(given))
        else:
            yield problem(
                f"cdn.range_list[{index}]",
                given,
                "is no CDN's range: it would let everybody in and believe their client header",
                "list the CDN's own ranges",
            )
    if narrow and not _usable(narrow):
        yield problem(
            "cdn.range_list",
            f"{len(narrow)} ranges",
            f"take more than a /{WIDEST_CDN_PREFIX} together: they would let everybody in",
            "list the CDN's own ranges",
        )


def _usable(ranges: list[str]) -> bool:
    try:
        usable_ranges(ranges, "cdn.range_list")
    except RangesRefused:
        return False
    return True


@reads("cdn")
def records_belong_to_the_zone(stack: Stack) -> Iterator[Problem]:
    """Records need a zone, stand inside it, each once."""
    cdn = stack.cdn
    for index, record in enumerate(cdn.records):
        path = f"cdn.records[{index}]"
        if cdn.zone is None:
            yield problem(path, record, "needs a zone, and cdn.zone is not set", "set cdn.zone")
        elif not inside(cdn.zone, record):
            yield problem(
                path, record, f"is outside cdn.zone ({cdn.zone})", f"write a name of {cdn.zone}"
            )
        if record in cdn.records[:index]:
            yield problem(path, record, "stands twice", "name each record once")
    if cdn.zone is None and cdn.zone_id is not None:
        yield problem("cdn.zone_id", cdn.zone_id, "is not used without cdn.zone", "set cdn.zone")


_CLOUDFLARES = ("cf-connecting-ip", "cf-connecting-ipv6", "true-client-ip")


@doubts("cdn")
def the_header_is_cloudflares(stack: Stack) -> Iterator[Problem]:
    """Cloudflare passes other headers on as the client wrote them, unless a rule of the zone sets
    them."""
    cdn = stack.cdn
    if cdn.kind == "cloudflare" and cdn.client_ip_header.lower() not in _CLOUDFLARES:
        yield problem(
            "cdn.client_ip_header",
            cdn.client_ip_header,
            "is passed on by Cloudflare as the client wrote it, unless a rule of yours sets it",
            "write CF-Connecting-IP",
        )


@doubts("cdn")
def the_service_has_a_name(stack: Stack) -> Iterator[Problem]:
    """A zone without a record of ours leads nobody here."""
    if stack.cdn.zone is not None and not stack.cdn.records:
        yield problem(
            "cdn.records",
            [],
            f"leads nobody here: the zone {stack.cdn.zone} is managed, and has no name of the "
            "service",
            f"list names such as www.{stack.cdn.zone}, or remove cdn.zone",
        )


@doubts("cdn")
def names_are_covered_at_the_edge(stack: Stack) -> Iterator[Problem]:
    """Cloudflare's universal certificate is for the zone and names one label below it."""
    zone = stack.cdn.zone
    for index, record in enumerate(stack.cdn.records):
        if zone is None or not inside(zone, record):
            continue
        if record.removesuffix(f".{zone}").count(".") > 0 and record != zone:
            yield problem(
                f"cdn.records[{index}]",
                record,
                f"is more than one label below {zone}: the CDN's universal certificate is not for "
                "it",
                "use one label, or order an advanced certificate for it",
            )

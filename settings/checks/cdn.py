"""The CDN by itself: its ranges, its records, its header."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.names import inside
from settings.checks.registry import doubts, reads
from settings.models.addresses import SPECIAL, AnyNetwork, within
from settings.models.cdn import kinds_that, too_wide, widest
from settings.models.services import PublicService
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem


@reads("cdn")
def kind_has_what_it_needs(stack: Stack) -> Iterator[Problem]:
    """A CDN is asked for its ranges, or the stack lists them; one that is not managed has no zone
    and is asked nothing."""
    cdn, traits = stack.cdn, stack.cdn.traits
    if not traits.listed and cdn.range_list:
        yield problem(
            "cdn.range_list",
            [str(each) for each in cdn.range_list],
            f"is not used while cdn.kind is {cdn.kind}",
            f"remove it, or set cdn.kind to {kinds_that('listed')}",
        )
    if traits.listed and not cdn.range_list:
        yield problem(
            "cdn.range_list",
            [],
            "is empty: nobody could reach the service",
            f"list the CDN's IPv4 ranges, or set cdn.kind to {kinds_that('asked')}",
        )
    if not traits.managed and cdn.zone is not None:
        yield problem(
            "cdn.zone",
            cdn.zone,
            f"is not managed while cdn.kind is {cdn.kind}",
            f"remove it with its records, or set cdn.kind to {kinds_that('managed')}",
        )
    if not traits.managed and cdn.api_url is not None:
        yield problem(
            "cdn.api_url",
            cdn.api_url,
            f"is asked by nobody while cdn.kind is {cdn.kind}",
            f"remove it, or set cdn.kind to {kinds_that('managed')}",
        )
    if not traits.present and "limits" in cdn.model_fields_set:
        yield problem(
            "cdn.limits",
            ABSENT,
            f"are nobody's while cdn.kind is {cdn.kind}",
            "remove them: how long visitors are waited for stands in balancers.timeouts",
        )


@reads("cdn")
def the_client_is_named_by_the_cdn_alone(stack: Stack) -> Iterator[Problem]:
    """A CDN passes another one's header on as the client wrote it, and some do so with their own,
    so each must name the one that it sets."""
    cdn, traits = stack.cdn, stack.cdn.traits
    if not traits.present and cdn.client_ip_header is not None:
        yield problem(
            "cdn.client_ip_header",
            cdn.client_ip_header,
            f"can be written by anybody while cdn.kind is {cdn.kind}",
            "remove it: the client is whoever connects",
        )
    if cdn.client_ip_header is not None or not traits.present or traits.client_headers:
        return
    if traits.header_to_set is not None:
        yield problem(
            "cdn.client_ip_header",
            None,
            f"has no default while cdn.kind is {cdn.kind}: {traits.called} passes "
            f"{traits.header_to_set} on as the client wrote it, until your service sets it",
            f"have the service set it (docs/cdn.md), and write {traits.header_to_set}",
        )
    else:
        yield problem(
            "cdn.client_ip_header",
            None,
            f"has no default while cdn.kind is {cdn.kind}: a header that the CDN does not set "
            "itself can be written by anybody",
            "name the header in which this CDN, and only it, names the client",
        )


@reads("cdn")
def ranges_are_a_cdns(stack: Stack) -> Iterator[Problem]:
    """Never everybody: these sources' client header is believed."""
    cdn = stack.cdn
    if not cdn.traits.listed:
        return  # judged when it has answered
    narrow: list[AnyNetwork] = []
    for index, given in enumerate(cdn.range_list):
        special = [words for each, words in SPECIAL.items() if within(given, each)]
        if special:
            yield problem(
                f"cdn.range_list[{index}]",
                given,
                f"is no CDN's range: it is {special[0]}",
                "remove it",
            )
        elif not too_wide([given]):
            narrow.append(given)
        else:
            yield problem(
                f"cdn.range_list[{index}]",
                given,
                "is no CDN's range: it would let everybody in and believe their client header",
                "list the CDN's own ranges",
            )
    for version in (4, 6):
        family = [each for each in narrow if each.version == version]
        if too_wide(family):
            yield problem(
                "cdn.range_list",
                f"{len(family)} ranges",
                f"take more than a /{widest(family[0])} together: they would let everybody in",
                "list the CDN's own ranges",
            )


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


@doubts("cdn")
def the_header_is_the_cdns_own(stack: Stack) -> Iterator[Problem]:
    """A CDN passes other headers on as the client wrote them, unless a rule of the zone sets
    them."""
    traits, given = stack.cdn.traits, stack.cdn.client_ip_header
    own = traits.client_headers or tuple(filter(None, [traits.header_to_set]))
    if given is None or not own:
        return
    if given.lower() not in [each.lower() for each in own]:
        yield problem(
            "cdn.client_ip_header",
            given,
            f"is passed on by {traits.called} as the client wrote it, unless a rule of "
            "yours sets it",
            f"write {own[0]}",
        )


@doubts("services", "cdn")
def the_service_has_a_name(stack: Stack) -> Iterator[Problem]:
    """A zone without a record of ours leads nobody here."""
    if stack.cdn.zone is not None and not stack.published.records:
        yield problem(
            "cdn.records",
            [],
            f"leads nobody here: the zone {stack.cdn.zone} is managed, and has no name of the "
            "service",
            f"list names such as www.{stack.cdn.zone}, or remove cdn.zone",
        )


@doubts("services", "cdn")
def names_are_covered_at_the_edge(stack: Stack) -> Iterator[Problem]:
    """Cloudflare's universal certificate is for the zone and names one label below it."""
    zone = stack.cdn.zone
    named = [(f"cdn.records[{index}]", each) for index, each in enumerate(stack.cdn.records)]
    for path, service in walk(stack.services, PublicService, "services"):
        named += [(f"{path}.hosts[{index}]", each) for index, each in enumerate(service.hosts)]
    for path, record in named:
        if zone is None or not inside(zone, record):
            continue
        if record.removesuffix(f".{zone}").count(".") > 0 and record != zone:
            yield problem(
                path,
                record,
                f"is more than one label below {zone}: the CDN's universal certificate is not for "
                "it",
                "use one label, or order an advanced certificate for it",
            )

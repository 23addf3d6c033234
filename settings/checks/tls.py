"""Certificates, names and the CDN's trust in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from settings.checks.registry import reads
from settings.models.cdn import ORIGIN_CA_DAYS
from settings.models.stack import Stack
from settings.problems import Problem, problem

_FORWARDED = ("x-forwarded-for", "forwarded", "via")


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


def _covered(names: Iterable[str], name: str) -> bool:
    return any(covers(pattern, name) for pattern in names)


@reads("balancers", "cdn")
def certificate_is_trusted(stack: Stack) -> Iterator[Problem]:
    """With SSL strict Cloudflare accepts a public or an origin CA certificate only."""
    source, zone = stack.balancers.certificate.source, stack.cdn.zone
    path = "balancers.certificate.source"
    if source == "self-signed" and stack.cdn.ssl == "strict" and zone is not None:
        yield problem(
            path,
            source,
            f"is refused by the CDN while cdn.ssl is strict (zone {zone}): error 526",
            "write origin-ca or given, or set cdn.ssl to full",
        )
    if source == "origin-ca" and zone is None:
        yield problem(path, source, "is signed for a zone, and cdn.zone is not set", "set cdn.zone")


@reads("balancers", "cdn")
def origin_certificate_can_be_signed(stack: Stack) -> Iterator[Problem]:
    """Cloudflare's origin CA signs for names of the zone and for a few lifetimes only."""
    certificate, zone = stack.balancers.certificate, stack.cdn.zone
    if certificate.source != "origin-ca" or zone is None:
        return
    for index, name in enumerate(certificate.names):
        if not inside(zone, name):
            yield problem(
                f"balancers.certificate.names[{index}]",
                name,
                f"is outside cdn.zone ({zone})",
                f"write names of {zone} only",
            )
    if certificate.validity_hours not in [24 * days for days in ORIGIN_CA_DAYS]:
        yield problem(
            "balancers.certificate.validity_hours",
            certificate.validity_hours,
            "is no lifetime the origin CA signs for",
            f"write one of {', '.join(str(24 * days) for days in ORIGIN_CA_DAYS)}",
        )


@reads("cdn")
def records_belong_to_the_zone(stack: Stack) -> Iterator[Problem]:
    """Records need a zone, stand inside it, each once."""
    cdn = stack.cdn
    if cdn.zone is not None and cdn.zone.startswith("*."):
        yield problem("cdn.zone", cdn.zone, "is a wildcard", f"write {cdn.zone[2:]}")
        return
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


@reads("balancers", "cdn")
def records_are_certified(stack: Stack) -> Iterator[Problem]:
    """Every name of the service stands in the balancers' certificate."""
    names = stack.balancers.certificate.names
    for index, record in enumerate(stack.cdn.records):
        if not _covered(names, record):
            yield problem(
                f"cdn.records[{index}]",
                record,
                f"is not covered by balancers.certificate.names ({', '.join(names)})",
                "add it there; a wildcard covers one label",
            )
    for index, name in enumerate(names):
        if name in names[:index]:
            yield problem(
                f"balancers.certificate.names[{index}]", name, "stands twice", "name it once"
            )


@reads("balancers", "cdn", "platform")
def demo_is_reachable(stack: Stack) -> Iterator[Problem]:
    """The demo's host name is one host, certified, and has a record when a zone is managed."""
    demo = stack.platform.demo
    if demo is None or not demo.enabled:
        return
    path, names = "platform.demo.host", stack.balancers.certificate.names
    if demo.host.startswith("*."):
        yield problem(path, demo.host, "is a wildcard", "write one host name")
        return
    if not _covered(names, demo.host):
        yield problem(
            path,
            demo.host,
            f"is not covered by balancers.certificate.names ({', '.join(names)})",
            "add it there; a wildcard covers one label",
        )
    if stack.cdn.zone is not None and not _covered(stack.cdn.records, demo.host):
        yield problem(
            path, demo.host, "has no record at the CDN", f"add {demo.host} to cdn.records"
        )


@reads("cdn")
def client_header_is_the_cdns_own(stack: Stack) -> Iterator[Problem]:
    """A list that every proxy appends to is no single address of the client."""
    header = stack.cdn.client_ip_header
    if header.lower() in _FORWARDED:
        yield problem(
            "cdn.client_ip_header",
            header,
            "is a list anybody may start, not the client's address",
            "write the header only the CDN sets, such as CF-Connecting-IP",
        )

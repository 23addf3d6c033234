"""Balancers and the CDN: a certificate that it trusts, for every name of the service."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.names import covered, inside
from settings.checks.registry import doubts, reads
from settings.models.cdn import ORIGIN_CA_DAYS, Cdn
from settings.models.platform import Demo
from settings.models.routing import Route
from settings.models.services import PublicService
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem

_MOST_NAMES = 100
"""Of one certificate (Cloudflare's developer documentation, "Origin CA certificates")."""


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
    if source == "origin-ca" and not stack.cdn.traits.signs:
        yield problem(
            path,
            source,
            f"is signed by a CDN's own authority, and cdn.kind {stack.cdn.kind} has none",
            "write given or self-signed",
        )
    elif source == "origin-ca" and zone is None:
        yield problem(path, source, "is signed for a zone, and cdn.zone is not set", "set cdn.zone")


@doubts("balancers", "cdn")
def certificate_is_trusted_by_visitors(stack: Stack) -> Iterator[Problem]:
    """Where no CDN stands in front, browsers judge what the balancers show."""
    source = stack.balancers.certificate.source
    if source == "self-signed" and not stack.cdn.traits.present:
        yield problem(
            "balancers.certificate.source",
            source,
            f"is trusted by no browser, and with cdn.kind {stack.cdn.kind} every visitor meets it",
            "write acme, or given with a certificate of a public authority",
        )


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
    if len(certificate.names) > _MOST_NAMES:
        yield problem(
            "balancers.certificate.names",
            f"{len(certificate.names)} names",
            "are more than the origin CA signs for",
            f"write {_MOST_NAMES} at most; a wildcard covers one label",
        )
    if certificate.validity_hours not in [24 * days for days in ORIGIN_CA_DAYS]:
        yield problem(
            "balancers.certificate.validity_hours",
            certificate.validity_hours,
            "is no lifetime the origin CA signs for",
            f"write one of {', '.join(str(24 * days) for days in ORIGIN_CA_DAYS)}",
        )


@reads("balancers", "cdn")
def nothing_is_served_without_a_certificate(stack: Stack) -> Iterator[Problem]:
    """Plain HTTP asks for no certificate, so it may lead to HTTPS and to nothing else."""
    pulls = stack.cdn.origin_pulls
    if pulls is not None and pulls.required and not stack.balancers.redirect_to_https:
        yield problem(
            "balancers.redirect_to_https",
            False,
            "would serve over plain HTTP whoever shows no certificate, though "
            "cdn.origin_pulls.required",
            "set it to true",
        )


ADDED = 4
"""KiB of header fields that the CDN adds of its own: who the client is, and the like."""


@reads("balancers", "cdn")
def balancers_take_what_the_cdn_passes_on(stack: Stack) -> Iterator[Problem]:
    """A request that the CDN let through is not refused for its size."""
    if not stack.cdn.traits.present:
        return
    sizes, limits = stack.balancers.sizes, stack.cdn.limits
    for key, taken, passed, added in (
        ("headers", sizes.headers, limits.headers, ADDED),
        ("url", sizes.url, limits.url, 0),
    ):
        if taken < passed + added:
            more = f" and what it adds ({added} KiB)" if added else ""
            yield problem(
                f"balancers.sizes.{key}",
                f"{taken} KiB",
                f"is less than the CDN passes on, cdn.limits.{key} ({passed} KiB){more}",
                f"write {passed + added} or more",
            )


@reads("balancers")
def names_are_certified(stack: Stack) -> Iterator[Problem]:
    """Every name of the service stands in the balancers' certificate: records, routes, services,
    the demo."""
    names = stack.balancers.certificate.every_name
    served: list[tuple[str, str]] = []
    for path, cdn in walk(stack, Cdn):
        served += [(f"{path}.records[{index}]", each) for index, each in enumerate(cdn.records)]
    for path, route in walk(stack, Route):
        served += [(f"{path}.hosts[{index}]", each) for index, each in enumerate(route.hosts)]
    for path, one in walk(stack, PublicService):
        served += [(f"{path}.hosts[{index}]", each) for index, each in enumerate(one.hosts)]
    served += [(f"{path}.host", demo.host) for path, demo in walk(stack, Demo) if demo.enabled]
    for path, name in served:
        if not covered(names, name):
            yield problem(
                path,
                name,
                f"is not covered by balancers.certificate.names ({', '.join(names)})",
                "add it there; a wildcard covers one label",
            )

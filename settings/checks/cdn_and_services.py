"""The CDN and public services: a record for every name, and a certificate shown for it."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.cdn_origin_pulls import MOST_NAMES
from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import Problem, problem


@reads("cdn", "services")
def a_certificate_is_shown_for_every_service(stack: Stack) -> Iterator[Problem]:
    """What the CDN shows when it calls is for so many names, the services' among them."""
    own, names = len(stack.cdn.records), len(stack.published.records)
    if stack.cdn.origin_pulls is not None and own <= MOST_NAMES < names:
        yield problem(
            "services",
            f"{names - own} names",
            f"beside the {own} of cdn.records are more than one certificate is shown for "
            "(cdn.origin_pulls)",
            f"list {MOST_NAMES} at most in all",
        )


@doubts("cdn", "services")
def services_have_records(stack: Stack) -> Iterator[Problem]:
    """A name outside the zone is led here by somebody else, or by nobody."""
    zone = stack.cdn.zone
    if zone is None:
        return
    for index, each in enumerate(stack.services):
        for place, host in enumerate(each.hosts):
            if not stack.cdn.holds(host):
                yield problem(
                    f"services[{index}].hosts[{place}]",
                    host,
                    f"is outside cdn.zone ({zone}), so that the program makes no record for it",
                    "lead it to the CDN elsewhere",
                )

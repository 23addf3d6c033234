"""What holds for a whole zone, and who may say so."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_OF_THE_ZONE = ("min_tls_version", "always_use_https", "hsts")
_PRELOAD = 31_536_000
"""Seconds a name must promise to be built into browsers (hstspreload.org, "Submission
Requirements")."""


@reads("cdn")
def only_its_owner_sets_what_holds_for_the_zone(stack: Stack) -> Iterator[Problem]:
    """Another stack, or people, would find their settings undone by every update."""
    cdn = stack.cdn
    if cdn.owns_zone and cdn.zone is None:
        yield problem(
            "cdn.owns_zone", True, "owns nothing: cdn.zone is not set", "set cdn.zone, or remove it"
        )
    if cdn.owns_zone:
        return
    for key in _OF_THE_ZONE:
        value = getattr(cdn, key)
        # Written out, a default asks for nothing that the zone would not be left with.
        if value != type(cdn).model_fields[key].default:
            yield problem(
                f"cdn.{key}",
                value if isinstance(value, str | bool) else ABSENT,
                "holds for the whole zone, which this stack does not say it owns",
                "set cdn.owns_zone to true if nobody else sets it, or remove this",
            )


@reads("cdn")
def preloading_is_promised_as_it_must_be(stack: Stack) -> Iterator[Problem]:
    """Browsers' makers take only names that promise a year, for all names below as well."""
    hsts = stack.cdn.hsts
    if hsts is None or not hsts.preload:
        return
    if not hsts.include_subdomains:
        yield problem(
            "cdn.hsts.preload",
            True,
            "is refused by browsers' makers without include_subdomains",
            "set cdn.hsts.include_subdomains to true, or preload to false",
        )
    if hsts.max_age < _PRELOAD:
        yield problem(
            "cdn.hsts.max_age",
            hsts.max_age,
            "s is shorter than browsers' makers ask for with preload",
            f"write {_PRELOAD} or more, or set preload to false",
        )

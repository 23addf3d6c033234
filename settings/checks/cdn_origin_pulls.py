"""What the CDN shows when it calls: who signs it."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_KEY = "cdn.origin_pulls"


@reads("cdn")
def somebody_signs_what_the_cdn_shows(stack: Stack) -> Iterator[Problem]:
    """A CDN that is not managed brings its own authorities; without a CDN nobody shows anything."""
    pulls, kind, traits = stack.cdn.origin_pulls, stack.cdn.kind, stack.cdn.traits
    if pulls is None:
        return
    if not traits.present:
        yield problem(
            _KEY,
            ABSENT,
            f"is asked of nobody while cdn.kind is {kind}: visitors have no such certificate",
            "remove it",
        )
    elif traits.listed and pulls.client_ca is None:
        yield problem(
            f"{_KEY}.client_ca",
            None,
            f"is needed while cdn.kind is {kind}: nobody else knows who signs what it shows",
            "write its authorities as a block: client_ca: | and the PEM indented",
        )

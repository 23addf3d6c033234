"""What the CDN shows when it calls: who signs it, and for which names."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_KEY = "cdn.origin_pulls"
MOST_NAMES = 100
"""Of one certificate (Cloudflare API, "Enable or Disable a Hostname for Client Authentication")."""


@reads("cdn")
def somebody_signs_what_the_cdn_shows(stack: Stack) -> Iterator[Problem]:
    """A managed CDN shows what the stack's own authority signed; another one brings its
    authorities; without a CDN nobody shows anything."""
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
        return
    if traits.managed and not pulls.authorities:
        yield problem(
            f"{_KEY}.authorities",
            [],
            f"is empty: nobody would sign what {traits.called} shows",
            "name one, such as first",
        )
    if traits.managed and pulls.client_ca is not None:
        yield problem(
            f"{_KEY}.client_ca",
            ABSENT,
            f"is not used while cdn.kind is {kind}: {traits.called} shows what the stack's own "
            "authority signed",
            f"remove it, and name that one in {_KEY}.authorities",
        )
    if not traits.managed and pulls.client_ca is None:
        yield problem(
            f"{_KEY}.client_ca",
            None,
            f"is needed while cdn.kind is {kind}: nobody else knows who signs what it shows",
            "write its authorities as a block: client_ca: | and the PEM indented",
        )
    if not traits.managed and pulls.authorities:
        yield problem(
            f"{_KEY}.authorities",
            pulls.authorities,
            f"is not used while cdn.kind is {kind}: nothing could be given to it to show",
            f"remove it; who signs what it shows stands in {_KEY}.client_ca",
        )


@reads("cdn")
def a_certificate_is_shown_for_every_name(stack: Stack) -> Iterator[Problem]:
    """It is shown for names of a zone, one by one."""
    pulls, cdn = stack.cdn.origin_pulls, stack.cdn
    if pulls is None or not cdn.traits.managed:
        return
    if cdn.zone is None:
        yield problem(
            _KEY, ABSENT, "is shown for names of a zone, and cdn.zone is not set", "set cdn.zone"
        )
    for index, name in enumerate(pulls.authorities):
        if name in pulls.authorities[:index]:
            yield problem(
                f"{_KEY}.authorities[{index}]", name, "is named twice", "name each authority once"
            )
    for index, record in enumerate(cdn.records):
        if record.startswith("*."):
            yield problem(
                f"cdn.records[{index}]",
                record,
                f"is a wildcard, and {cdn.traits.called} shows a certificate for one name at a "
                f"time ({_KEY})",
                f"list the names themselves, or remove {_KEY}",
            )
    if len(cdn.records) > MOST_NAMES:
        yield problem(
            "cdn.records",
            f"{len(cdn.records)} names",
            f"are more than one certificate is shown for ({_KEY})",
            f"list {MOST_NAMES} at most",
        )

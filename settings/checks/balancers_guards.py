"""What the balancers let through and add: nobody shut out by mistake, nothing said twice."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.addresses import BITS, collapsed, within
from settings.models.stack import Stack
from settings.problems import Problem, problem

_FRAMING = ("connection", "content-length", "date", "transfer-encoding", "upgrade")
"""Fields about the message itself (RFC 9110, sections 6 and 7.6; RFC 9112, section 6)."""
_HSTS = "strict-transport-security"
_PRELOADED = 31_536_000
"""Seconds that browsers' lists ask for at least (hstspreload.org, "Submission Requirements")."""


@reads("balancers")
def somebody_is_answered(stack: Stack) -> Iterator[Problem]:
    """Denied networks leave somebody, and each allowed one means something."""
    sources = stack.balancers.sources
    denied = collapsed(sources.deny)
    if sum(each.num_addresses for each in denied if each.version == 4) == 2**BITS:
        yield problem(
            "balancers.sources.deny",
            [str(each) for each in sources.deny],
            "shuts everybody out",
            "name the networks that are meant",
        )
        return
    for index, each in enumerate(sources.allow):
        if any(within(each, network) for network in denied):
            yield problem(
                f"balancers.sources.allow[{index}]",
                each,
                "is denied whole by balancers.sources.deny",
                "take it out of one of the two",
            )


@reads("balancers")
def answers_say_a_field_once(stack: Stack) -> Iterator[Problem]:
    """Header fields are compared without their case."""
    answers = stack.balancers.answers
    seen: dict[str, str] = {_HSTS: "hsts"} if answers.hsts is not None else {}
    named = [(f"set.{name}", name) for name in answers.set]
    named += [(f"remove[{index}]", name) for index, name in enumerate(answers.remove)]
    for path, name in named:
        low = name.lower()
        if low in _FRAMING:
            yield problem(
                f"balancers.answers.{path}",
                name,
                "is about the message itself, which the balancers write",
                "leave it out",
            )
        elif low in seen:
            yield problem(
                f"balancers.answers.{path}",
                name,
                f"is said already by balancers.answers.{seen[low]}",
                "say it once",
            )
        seen.setdefault(low, path)


@reads("balancers")
def preloaded_names_keep_the_lists_rules(stack: Stack) -> Iterator[Problem]:
    """A browser's list takes names that promise a year, with all below them."""
    hsts = stack.balancers.answers.hsts
    if hsts is None or not hsts.preload:
        return
    if not hsts.subdomains or hsts.seconds < _PRELOADED:
        yield problem(
            "balancers.answers.hsts.preload",
            hsts.preload,
            "is for names that promise a year, with all names below (hstspreload.org)",
            f"set subdomains to true and seconds to {_PRELOADED} or more, or remove preload",
        )

"""What the balancers let through and add: nobody shut out by mistake, nothing said twice."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.registry import reads
from settings.models.addresses import BITS, collapsed, within
from settings.models.stack import Stack
from settings.problems import Problem, problem

_FRAMING = frozenset(
    (
        *("connection", "content-encoding", "content-length", "content-range", "date"),
        *("keep-alive", "location", "proxy-connection", "te", "trailer", "transfer-encoding"),
        *("sec-websocket-accept", "upgrade"),
    )
)
"""Fields about the message itself (RFC 9110, sections 6, 7.6, 8.4, 10.2.2 and 14.4; RFC 9112,
section 6; RFC 6455, section 4.2.2)."""
_COOKIES = "set-cookie"
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
                "is about one message itself: who answers writes it",
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
def cookies_stay(stack: Stack) -> Iterator[Problem]:
    """A field that is written over takes every application's cookies; one that is taken out, the
    balancers' own, too."""
    balancers = stack.balancers
    answers, sharing = balancers.answers, (balancers.ingress, *balancers.routes)
    for name in answers.set:
        if name.lower() == _COOKIES:
            wrong = "would take the place of every cookie that an application sets"
            yield problem(f"balancers.answers.set.{name}", name, wrong, "leave it out")
    for index, name in enumerate(answers.remove):
        if name.lower() == _COOKIES and any(each.sticky == "cookie" for each in sharing):
            wrong = "would take out the cookie that keeps clients on their nodes (sticky: cookie)"
            path = f"balancers.answers.remove[{index}]"
            yield problem(path, name, wrong, "leave it out, or write sticky: source")


@reads("balancers")
def some_path_is_left(stack: Stack) -> Iterator[Problem]:
    """All paths are below the root."""
    for index, each in enumerate(stack.balancers.filter.denied_paths):
        if each == "/":
            yield problem(
                f"balancers.filter.denied_paths[{index}]",
                each,
                "denies every path",
                "name the paths that are meant",
            )


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

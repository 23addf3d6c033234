"""From answers to rows: one for each machine, one for each check. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ops.checks.model import LAYERS, Check, Layer, Seen, Verdict
from ops.question import Machine
from ops.result import Result

_LAYER_OF: dict[str, Layer] = {
    "router": "routers",
    "balancer": "balancers",
    "control_plane": "cluster",
    "worker": "cluster",
}
"""By role."""
UNREACHED = (
    "is it powered on, and this machine on the management network? a host key that has changed is "
    "either a new machine (`pulumi up` tells its key) or somebody else's"
)
UNREACHED_PAGE = "docs/ops.md#a-machine-does-not-answer"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result with its layer, and what to do where it is not ok. `wrong` are its sentences."""

    layer: Layer
    result: Result
    wrong: tuple[str, ...]
    remedy: str
    page: str


def rows(seen: Seen, checks: Iterable[Check]) -> list[Row]:
    """Every machine, then every check that this stack is concerned by, layer by layer."""
    found = [_machine(seen, each) for each in seen.site.machines]
    found += [row for each in checks if each.applies(seen.site) for row in _check(seen, each)]
    return sorted(found, key=lambda row: LAYERS.index(row.layer))


def about(found: Iterable[Row], machine: str) -> list[str]:
    """What is wrong with a machine: the sentences that begin with it."""
    begins = (f"{machine}:", f"{machine} ", f"node {machine} ")
    return [each for row in found for each in row.wrong if each.startswith(begins)]


def _machine(seen: Seen, machine: Machine) -> Row:
    answers = seen.machines[machine.name]
    quiet = machine.python and answers.silent is not None
    wrong = (f"{machine.name} ({machine.address}): {answers.silent}",) if quiet else ()
    told = answers.silent or f"{len(answers.answers)} questions answered"
    return Row(
        layer=_LAYER_OF[machine.role],
        result=Result(
            name=f"{machine.name} answers",
            ok=not quiet,
            seconds=answers.seconds,
            detail=f"{machine.address}: {told}",
        ),
        wrong=wrong,
        remedy=UNREACHED,
        page=UNREACHED_PAGE,
    )


def _check(seen: Seen, check: Check) -> Iterator[Row]:
    asked = {
        machine.name: [each.name for each in check.asks(seen.site, machine)]
        for machine in seen.site.machines
    }
    concerned = [name for name, names in asked.items() if names]
    answering = [name for name in concerned if seen.machines[name].silent is None]
    appliances = {each.name for each in seen.site.machines if not each.python}
    if concerned and appliances.issuperset(concerned):
        return
    if concerned and not answering:
        verdict = Verdict(wrong=(f"nobody answers that could tell: {', '.join(concerned)}",))
    else:
        verdict = _judged(seen, check)
    took = [
        answer.seconds
        for name in answering
        for question, answer in seen.machines[name].answers.items()
        if question in asked[name]
    ]
    yield Row(
        layer=check.layer,
        result=Result(
            name=check.name,
            ok=not verdict.wrong,
            seconds=max(took, default=0.0),
            detail="; ".join(verdict.wrong) or verdict.said,
        ),
        wrong=verdict.wrong,
        remedy=check.remedy,
        page=check.page,
    )


def _judged(seen: Seen, check: Check) -> Verdict:
    try:
        return check.judge(seen)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as problem:
        # What a machine says is what it is: an answer of another form is a finding.
        return Verdict(wrong=(f"an answer cannot be read: {type(problem).__name__}: {problem}",))

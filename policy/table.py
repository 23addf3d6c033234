"""Every rule, and the verdict of all of them over a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policy import closed, keeping, rules
from policy.keeping import ChangeRule
from policy.plan import Change, changes
from policy.rules import Resource, Rule, StackRule

RULES: Final[tuple[Rule, ...]] = rules.RULES
STACK_RULES: Final[tuple[StackRule, ...]] = (
    *rules.STACK_RULES,
    *keeping.STACK_RULES,
    *closed.STACK_RULES,
)
CHANGE_RULES: Final[tuple[ChangeRule, ...]] = keeping.CHANGE_RULES


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One violation: which rule, of which resource, what is wrong and what to do."""

    rule: str
    resource: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.resource} {self.wrong}"


def faults(resources: Sequence[Resource]) -> Iterator[Fault]:
    """What the rules over resources say."""
    for each in resources:
        for rule in RULES:
            for wrong in rule.faults(each):
                yield Fault(rule=rule.name, resource=each.name, wrong=wrong)
    for stack_rule in STACK_RULES:
        for name, wrong in stack_rule.check(resources):
            yield Fault(rule=stack_rule.name, resource=name, wrong=wrong)


def faults_of_changes(done: Sequence[Change]) -> Iterator[Fault]:
    """What the rules over changes say."""
    for rule in CHANGE_RULES:
        for name, wrong in rule.check(done):
            yield Fault(rule=rule.name, resource=name, wrong=wrong)


def judged(plan: Mapping[str, Any]) -> list[Fault]:
    """Every violation of a plan (the engine's JSON): of what it does first."""
    done = changes(plan)
    there = [each.new for each in done if each.new is not None]
    return [*faults_of_changes(done), *faults(there)]


def verdict(found: Sequence[Fault]) -> str:
    """The violations for people, the number of rules first."""
    count = len(RULES) + len(STACK_RULES) + len(CHANGE_RULES)
    if not found:
        return f"policy: {count} rules hold"
    broken = len({each.rule for each in found})
    lines = [f"policy: {broken} of {count} rules broken, which stops the update"]
    return "\n".join([*lines, *(f"  {each}" for each in found)])

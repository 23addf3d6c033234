"""Rules at the CDN's edge: whose they are, and what the zone's plan has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from settings.checks.registry import reads
from settings.models.cdn import kinds_that
from settings.models.cdn_rules import (
    CHALLENGES,
    PLANS,
    CdnRules,
    PlanTraits,
    RateLimitRule,
    Rule,
)
from settings.models.expressions import by_pattern, fields
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_KEY = "cdn.rules"


def _plans_that(has: Callable[[PlanTraits], bool]) -> str:
    """The plans that have something, as a message names them."""
    return " or ".join(word for word, traits in PLANS.items() if has(traits))


def _every(rules: CdnRules) -> Iterator[tuple[str, Rule]]:
    for name, listed in rules.lists():
        for index, rule in enumerate(listed):
            yield f"{_KEY}.{name}[{index}]", rule


def _limits(rules: CdnRules) -> Iterator[tuple[str, RateLimitRule]]:
    for index, rule in enumerate(rules.rate_limits):
        yield f"{_KEY}.rate_limits[{index}]", rule


@reads("cdn")
def only_its_owner_makes_rules_of_the_zone(stack: Stack) -> Iterator[Problem]:
    """A zone has one ruleset a phase: two who write it undo each other's work."""
    cdn = stack.cdn
    for name, listed in cdn.rules.lists():
        if listed and not cdn.traits.managed:
            yield problem(
                f"{_KEY}.{name}",
                ABSENT,
                f"is made nowhere while cdn.kind is {cdn.kind}",
                f"remove it, or set cdn.kind to {kinds_that('managed')}",
            )
        elif listed and not cdn.owns_zone:
            yield problem(
                f"{_KEY}.{name}",
                ABSENT,
                "holds for the whole zone, which this stack does not say it owns",
                "set cdn.owns_zone to true if nobody else makes rules there, or remove it",
            )


@reads("cdn")
def no_more_rules_than_the_plan_has(stack: Stack) -> Iterator[Problem]:
    """Cloudflare counts rules by phase, those that are not enabled too."""
    rules = stack.cdn.rules
    for name, listed in rules.lists():
        most = rules.traits.most[name]
        if len(listed) > most:
            yield problem(
                f"{_KEY}.{name}",
                f"{len(listed)} rules",
                f"are more than the {most} of the plan {rules.traits.called} ({_KEY}.plan)",
                f"join some of them by `or`, or set {_KEY}.plan to the zone's own",
            )
        named: list[str] = []
        for index, rule in enumerate(listed):
            if rule.name in named:
                yield problem(
                    f"{_KEY}.{name}[{index}].name",
                    rule.name,
                    "is another rule's name",
                    "give each a name of its own",
                )
            named.append(rule.name)


@reads("cdn")
def expressions_are_the_plans(stack: Stack) -> Iterator[Problem]:
    """Regular expressions are of the larger plans."""
    rules = stack.cdn.rules
    for path, rule in _every(rules):
        if not rules.traits.regex and by_pattern(rule.when):
            yield problem(
                f"{path}.when",
                rule.when,
                f"compares with a regular expression, which the plan {rules.traits.called} has "
                f"not ({_KEY}.plan)",
                "compare by contains, starts_with() or wildcard, or set the plan to "
                f"{_plans_that(lambda each: each.regex)} if the zone has it",
            )


@reads("cdn")
def actions_are_the_plans(stack: Stack) -> Iterator[Problem]:
    """To log alone is Enterprise's; to skip something, it must be named."""
    rules = stack.cdn.rules
    for path, rule in _every(rules):
        action = getattr(rule, "action", None)
        if action == "log" and not rules.traits.everything:
            yield problem(
                f"{path}.action",
                action,
                f"is no action of the plan {rules.traits.called} ({_KEY}.plan)",
                "choose another, or set the plan to "
                f"{_plans_that(lambda each: each.everything)} if the zone has it",
            )
    for index, rule in enumerate(rules.firewall):
        path = f"{_KEY}.firewall[{index}]"
        if rule.action == "skip" and not rule.skip:
            yield problem(
                f"{path}.skip", [], "names nothing to skip", "list what is skipped, or block"
            )
        if rule.action != "skip" and rule.skip:
            yield problem(
                f"{path}.skip",
                rule.skip,
                f"is not used while action is {rule.action}",
                "remove it, or set action to skip",
            )


@reads("cdn")
def rates_are_counted_as_the_plan_does(stack: Stack) -> Iterator[Problem]:
    """Periods, clients and fields of rate limits differ by plan most of all."""
    rules, plan = stack.cdn.rules, stack.cdn.rules.traits
    for path, rule in _limits(rules):
        if rule.period not in plan.periods:
            yield problem(
                f"{path}.period",
                rule.period,
                f"s is no period of the plan {plan.called} ({_KEY}.plan)",
                f"write {_listed(plan.periods)}",
            )
        if not plan.visitors:
            larger = _plans_that(lambda each: each.visitors)
            wrong = f"is not to be had with the plan {plan.called} ({_KEY}.plan)"
            if rule.per == "visitor":
                right = f"write ip, or set the plan to {larger} if the zone has it"
                yield problem(f"{path}.per", rule.per, wrong, right)
            if rule.counting is not None:
                right = f"remove it, or set the plan to {larger} if the zone has it"
                yield problem(f"{path}.counting", rule.counting, wrong, right)
        for key, text in (("when", rule.when), ("counting", rule.counting)):
            named = fields(text or "")
            for each in sorted(named & plan.lacking):
                larger = " or ".join(word for word, one in PLANS.items() if each not in one.lacking)
                yield problem(
                    f"{path}.{key}",
                    text,
                    f"names {each}, by which the plan {plan.called} limits no rate ({_KEY}.plan)",
                    f"set the plan to {larger} if the zone has it, or name another field, such as "
                    "http.request.uri.path",
                )
            if "cf.colo.id" in named:
                yield problem(
                    f"{path}.{key}",
                    text,
                    "names cf.colo.id, whose values change without notice: each data centre "
                    "counts by itself anyway",
                    "leave it out",
                )


@reads("cdn")
def actions_last_as_long_as_the_plan_lets_them(stack: Stack) -> Iterator[Problem]:
    """Below Enterprise a challenge lasts only while the rate does, and all else for a listed time
    ("Rate limiting parameters", for duration)."""
    rules, plan = stack.cdn.rules, stack.cdn.rules.traits
    for path, rule in _limits(rules):
        if plan.everything:
            continue
        if rule.action in CHALLENGES and rule.timeout != 0:
            yield problem(
                f"{path}.timeout",
                rule.timeout,
                f"s is longer than a challenge lasts with the plan {plan.called} ({_KEY}.plan): "
                "until the client has solved it",
                "write 0, or set action to block",
            )
        if rule.action not in CHALLENGES and rule.timeout not in plan.timeouts:
            yield problem(
                f"{path}.timeout",
                rule.timeout,
                f"s is no duration of the plan {plan.called} ({_KEY}.plan)",
                f"write {_listed(plan.timeouts)}",
            )


@reads("cdn")
def answers_are_kept_as_the_plan_does(stack: Stack) -> Iterator[Problem]:
    """What is not kept has no time to be kept for; the edge keeps it for the plan's least time."""
    rules, plan = stack.cdn.rules, stack.cdn.rules.traits
    for index, rule in enumerate(rules.cache):
        path = f"{_KEY}.cache[{index}]"
        if rule.edge_ttl is not None and not rule.cache:
            yield problem(
                f"{path}.edge_ttl",
                rule.edge_ttl,
                "s is for answers that are kept, and cache is false",
                "remove it, or set cache to true",
            )
        if rule.cache and rule.edge_ttl is not None and rule.edge_ttl < plan.edge_ttl:
            yield problem(
                f"{path}.edge_ttl",
                rule.edge_ttl,
                f"s is less than the plan {plan.called} keeps an answer ({_KEY}.plan)",
                f"write {plan.edge_ttl} or more, or leave it to the answer (null)",
            )


def _listed(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last

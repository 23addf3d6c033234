"""Rules of a zone at Cloudflare: what the stack has in each phase, and whose stands there. Pure.

A zone has one ruleset a phase, which is written as a whole: to write it is to delete what is not in
the writing. So nothing is written where anybody else has a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from settings.models import CacheRule, CdnRules, FirewallRule, RateLimitRule

PHASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "firewall": "http_request_firewall_custom",
        "rate_limits": "http_ratelimit",
        "cache": "http_request_cache_settings",
    }
)
"""Cloudflare's phase of each list of `cdn.rules` (Ruleset Engine, "Phases list")."""

_SKIPPED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rate_limits": "http_ratelimit",
        "managed": "http_request_firewall_managed",
        "bots": "http_request_sbfm",
    }
)
"""The phase of what a rule may skip ("Configure a rule with the Skip action")."""

_CLIENTS: Final[Mapping[str, str]] = MappingProxyType(
    {"ip": "ip.src", "visitor": "cf.unique_visitor_id"}
)
"""What tells clients apart ("Rate limiting parameters", characteristics)."""


@dataclass(frozen=True, kw_only=True)
class FoundRule:
    """A rule of the zone: `ref` is its author's name for it, else Cloudflare's own."""

    ref: str
    description: str


@dataclass(frozen=True, kw_only=True)
class FoundRuleset:
    """A ruleset of the zone."""

    phase: str
    description: str
    rules: Sequence[FoundRule]


def reference(mark: str, name: str = "") -> str:
    """What a rule of this stack is referred to by: `mark` is PROJECT/STACK."""
    return f"{mark.replace('/', '-')}-{name}"


def strangers(found: FoundRuleset, mark: str) -> Iterator[FoundRule]:
    """The rules in it that this stack did not make."""
    ours = found.description == mark
    for each in found.rules:
        if not (ours and each.ref.startswith(reference(mark))):
            yield each


def refusals(found: Iterable[FoundRuleset], *, rules: CdnRules, zone: str, mark: str) -> list[str]:
    """A sentence, with the ways out, for each phase in which somebody else has rules and this
    stack has, or had, some."""
    lines: list[str] = []
    wanted = {PHASES[name]: name for name, listed in rules.lists() if listed}
    for each in found:
        others = [rule.description or rule.ref for rule in strangers(each, mark)]
        if not others or (each.phase not in wanted and each.description != mark):
            continue
        key = f"cdn.rules.{wanted.get(each.phase, _key_of(each.phase))}"
        lines.append(
            f"{key}: the zone {zone} has rules in the phase {each.phase} that this stack did not "
            f"make ({', '.join(others)}), and an update would delete them, as a phase is written "
            f"as a whole. Write them in {key} too and delete them there (Security rules, or Cache "
            f"rules), or leave the phase to them and empty {key}"
        )
    return lines


def _key_of(phase: str) -> str:
    return next(name for name, each in PHASES.items() if each == phase)


def rulesets(rules: CdnRules, mark: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The rules of each phase that has some, as Cloudflare's provider takes them."""
    made: dict[str, Sequence[Mapping[str, Any]]] = {}
    for name, listed in rules.lists():
        if listed:
            made[PHASES[name]] = [
                {
                    "ref": reference(mark, each.name),
                    "description": each.name,
                    "expression": each.when,
                    "enabled": each.enabled,
                    **_action(each),
                }
                for each in listed
            ]
    return made


def _action(rule: FirewallRule | RateLimitRule | CacheRule) -> Mapping[str, Any]:
    if isinstance(rule, CacheRule):
        return {"action": "set_cache_settings", "actionParameters": _kept(rule)}
    if isinstance(rule, RateLimitRule):
        return {"action": rule.action, "ratelimit": _counted(rule)}
    if rule.action != "skip":
        return {"action": rule.action}
    skipped: dict[str, Any] = {}
    if "firewall" in rule.skip:
        skipped["ruleset"] = "current"
    phases = [_SKIPPED[each] for each in dict.fromkeys(rule.skip) if each in _SKIPPED]
    if phases:
        skipped["phases"] = phases
    return {"action": "skip", "actionParameters": skipped}


def _counted(rule: RateLimitRule) -> Mapping[str, Any]:
    counted: dict[str, Any] = {
        # Cloudflare takes no rate limit without the data centre among what is counted by.
        "characteristics": ["cf.colo.id", _CLIENTS[rule.per]],
        "period": rule.period,
        "requestsPerPeriod": rule.requests,
        "mitigationTimeout": rule.timeout,
        "requestsToOrigin": rule.origin_only,
    }
    if rule.counting is not None:
        counted["countingExpression"] = rule.counting
    return counted


def _kept(rule: CacheRule) -> Mapping[str, Any]:
    kept: dict[str, Any] = {"cache": rule.cache}
    for key, seconds in (("edgeTtl", rule.edge_ttl), ("browserTtl", rule.browser_ttl)):
        if seconds is not None:
            kept[key] = {"mode": "override_origin", "default": seconds}
    return kept

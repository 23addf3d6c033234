"""What this layer uses of Cloudflare's SDK for rules, declared by hand as `cloudflare_sdk` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.cdn.cloudflare_sdk import ask, with_version


class Ruleset(pulumi.CustomResource):
    """The rules of a zone in a `phase`, in their order; `kind` is `zone`."""

    TYPE = "cloudflare:index/ruleset:Ruleset"

    def __init__(
        self,
        resource_name: str,
        *,
        zone_id: pulumi.Input[str],
        kind: pulumi.Input[str],
        name: pulumi.Input[str],
        phase: pulumi.Input[str],
        description: pulumi.Input[str],
        rules: Sequence[Mapping[str, Any]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "zoneId": zone_id, "kind": kind, "name": name, "phase": phase,
            "description": description, "rules": [dict(each) for each in rules],
        }  # fmt: skip
        super().__init__(self.TYPE, resource_name, inputs, with_version(opts))


@dataclass(frozen=True)
class ZoneRuleset:
    """A ruleset by its id; `kind` is `zone` for one that the zone's own rules stand in."""

    id: str
    kind: str
    phase: str


@dataclass(frozen=True)
class ZoneRule:
    """A rule of a ruleset."""

    ref: str
    description: str


@dataclass(frozen=True)
class ZoneRules:
    """What stands in a ruleset."""

    description: str
    rules: Sequence[ZoneRule]


GET_RULESET = "cloudflare:index/getRuleset:getRuleset"
GET_RULESETS = "cloudflare:index/getRulesets:getRulesets"


def get_rulesets_output(
    *, zone_id: pulumi.Input[str], opts: pulumi.InvokeOutputOptions
) -> pulumi.Output[Sequence[ZoneRuleset]]:
    """The zone's rulesets; none from a provider that is not configured yet."""

    def read(answer: Mapping[str, Any]) -> Sequence[ZoneRuleset]:
        return [
            ZoneRuleset(id=row["id"], kind=row["kind"], phase=row["phase"])
            for row in answer.get("rulesets") or []
        ]

    return ask(GET_RULESETS, {"zoneId": zone_id}, opts).apply(read)


def get_ruleset_output(
    *,
    zone_id: pulumi.Input[str],
    id: pulumi.Input[str],  # noqa: A002 - the SDK's own word
    opts: pulumi.InvokeOutputOptions,
) -> pulumi.Output[ZoneRules]:
    """One of them, with its rules."""

    def read(answer: Mapping[str, Any]) -> ZoneRules:
        rules = [
            ZoneRule(ref=row.get("ref") or "", description=row.get("description") or "")
            for row in answer.get("rules") or []
        ]
        return ZoneRules(description=answer.get("description") or "", rules=rules)

    return ask(GET_RULESET, {"zoneId": zone_id, "id": id}, opts).apply(read)

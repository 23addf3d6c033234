"""The `cloudflare` provider: rulesets of a zone, and look-ups of them.

As terraform-provider-cloudflare 5 does it: rules are written as a whole, in place; a ruleset's
zone, kind and phase replace it.
"""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from lab.plugins.cloudflare_client import NotFound
from lab.plugins.cloudflare_names import camel, snake
from lab.plugins.cloudflare_resource import ApiResource, Configured, of_zone
from lab.plugins.server import Context, Created, Invoke, Properties, ReadResult, offline

_GIVEN = ("name", "description", "kind", "phase", "rules")


class Ruleset(ApiResource):
    """The rules of a zone in a phase."""

    token = "cloudflare:index/ruleset:Ruleset"  # noqa: S105
    sdk = "pulumi_cloudflare:Ruleset"
    replace_on: ClassVar[frozenset[str]] = frozenset({"zoneId", "kind", "phase"})
    volatile: ClassVar[frozenset[str]] = frozenset({"lastUpdated", "version"})
    computed: ClassVar[frozenset[str]] = volatile

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """POST zones/ZONE/rulesets."""
        path = f"zones/{inputs['zoneId']}/rulesets"
        made = self.api.call(ctx, "POST", path, body=_body(inputs))
        return Created(id=made["id"], outputs=_outputs(made))

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """PUT zones/ZONE/rulesets/ID."""
        path = f"zones/{news['zoneId']}/rulesets/{id}"
        return _outputs(self.api.call(ctx, "PUT", path, body=_body(news)))

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The ruleset as it is now; of a rule what was given of it. Import: zones/ZONE/ID."""
        zone, ruleset = of_zone(id.removeprefix("zones/"), state, inputs)
        try:
            live = self.api.call(ctx, "GET", f"zones/{zone}/rulesets/{ruleset}")
        except NotFound:
            return None
        found = camel(live)
        now = {key: found[key] for key in _GIVEN if key != "rules"}
        given = {each.get("ref"): each for each in inputs.get("rules") or []}
        rules = [_known(each, given.get(each["ref"])) for each in found["rules"]]
        now |= {"zoneId": zone, "rules": rules}
        return ReadResult(id=ruleset, outputs={**now, **_outputs(live)}, inputs=now)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """DELETE zones/ZONE/rulesets/ID."""
        self.api.delete(ctx, f"zones/{state['zoneId']}/rulesets/{id}")


def _known(live: Properties, given: Properties | None) -> Properties:
    kept = {key for key in live if key not in ("id", "version")} if given is None else set(given)
    return {key: live[key] for key in live if key in kept}


def _body(inputs: Properties) -> dict[str, Any]:
    body: dict[str, Any] = snake({key: inputs[key] for key in _GIVEN if key in inputs})
    return body


def _outputs(live: Properties) -> Properties:
    return {"lastUpdated": live["last_updated"], "version": live["version"]}


def invokes(provider: Configured) -> Mapping[str, Invoke]:
    """The look-ups; offline a zone has no rules."""

    def listed(ctx: Context, arguments: Properties) -> Properties:
        path = f"zones/{arguments['zoneId']}/rulesets"
        rows = [] if offline() else camel(provider.api.call(ctx, "GET", path))
        return {**arguments, "rulesets": rows, "results": rows}

    def one(ctx: Context, arguments: Properties) -> Properties:
        path = f"zones/{arguments['zoneId']}/rulesets/{arguments['id']}"
        found = camel(provider.api.call(ctx, "GET", path))
        rules = [{key: each[key] for key in each if key != "version"} for each in found["rules"]]
        return {**found, **arguments, "rules": rules}

    return {
        "cloudflare:index/getRuleset:getRuleset": one,
        "cloudflare:index/getRulesets:getRulesets": listed,
    }

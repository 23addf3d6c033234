"""The `cloudflare` provider: DNS records, zone settings, certificates, rulesets, look-ups.

What replaces and what the API is sent follow terraform-provider-cloudflare 5, which
pulumi-cloudflare 6 wraps: a record's zone replaces, everything else of it changes in place; a zone
setting cannot be deleted and stays as it is; an origin CA certificate is replaced by any change.
"""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from lab.plugins import cloudflare_ranges, cloudflare_rulesets
from lab.plugins.cloudflare_client import BASE_URL, Client, NotFound
from lab.plugins.cloudflare_names import camel, snake
from lab.plugins.cloudflare_origin_pulls import AuthenticatedOriginPulls, HostnameCertificate
from lab.plugins.cloudflare_resource import ApiResource, of_zone
from lab.plugins.server import (
    UNKNOWN,
    CheckFailed,
    Context,
    Created,
    Invoke,
    PluginError,
    Properties,
    Provider,
    ReadResult,
    Resource,
    offline,
    serve,
)

VALIDITIES = (7, 30, 90, 365, 730, 1095, 5475)
REQUEST_TYPES = ("origin-rsa", "origin-ecc", "keyless-certificate")


class DnsRecord(ApiResource):
    """A DNS record."""

    token = "cloudflare:index/dnsRecord:DnsRecord"  # noqa: S105
    sdk = "pulumi_cloudflare:DnsRecord"
    replace_on: ClassVar[frozenset[str]] = frozenset({"zoneId"})
    volatile: ClassVar[frozenset[str]] = frozenset(
        {"modifiedOn", "commentModifiedOn", "tagsModifiedOn"}
    )
    computed: ClassVar[frozenset[str]] = volatile | {"createdOn", "proxiable", "meta"}

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """POST zones/ZONE/dns_records."""
        body = _record_body(inputs)
        made = self.api.call(ctx, "POST", f"zones/{inputs['zoneId']}/dns_records", body=body)
        return Created(id=made["id"], outputs=_record_outputs(made))

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """PUT zones/ZONE/dns_records/ID."""
        path = f"zones/{news['zoneId']}/dns_records/{id}"
        return _record_outputs(self.api.call(ctx, "PUT", path, body=_record_body(news)))

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The record; inputs as it is now. Import: ZONE/ID."""
        zone, record = of_zone(id, state, inputs)
        try:
            live = self.api.call(ctx, "GET", f"zones/{zone}/dns_records/{record}")
        except NotFound:
            return None
        found = camel(live)
        kept = inputs or {"zoneId": zone, "name": "", "type": "", "content": "", "ttl": 1}
        now = {key: found.get(key, value) for key, value in kept.items()}
        now["zoneId"] = zone
        if _same_name(str(kept.get("name")), live):
            now["name"] = kept["name"]
        return ReadResult(id=record, outputs={**now, **_record_outputs(live)}, inputs=now)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """DELETE zones/ZONE/dns_records/ID."""
        self.api.delete(ctx, f"zones/{state['zoneId']}/dns_records/{id}")


def _without_nothing(row: Mapping[str, Any]) -> Properties:
    return {key: value for key, value in row.items() if value is not None}


def _record_body(inputs: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = snake({key: inputs[key] for key in inputs if key != "zoneId"})
    return {"proxied": False, **body}


def _record_outputs(record: Mapping[str, Any]) -> Properties:
    outputs = {
        "createdOn": record.get("created_on"),
        "modifiedOn": record.get("modified_on"),
        "commentModifiedOn": record.get("comment_modified_on"),
        "tagsModifiedOn": record.get("tags_modified_on"),
        "proxiable": record.get("proxiable", False),
        "meta": json.dumps(record.get("meta") or {}),
    }
    return {key: value for key, value in outputs.items() if value is not None}


def _same_name(name: str, live: Mapping[str, Any]) -> bool:
    zone = live.get("zone_name") or ""
    whole = zone if name == "@" else f"{name}.{zone}"
    return live.get("name") in (name, whole)


class ZoneSetting(ApiResource):
    """A setting of a zone."""

    token = "cloudflare:index/zoneSetting:ZoneSetting"  # noqa: S105
    sdk = "pulumi_cloudflare:ZoneSetting"
    replace_on: ClassVar[frozenset[str]] = frozenset({"zoneId", "settingId"})
    volatile: ClassVar[frozenset[str]] = frozenset({"modifiedOn"})
    computed: ClassVar[frozenset[str]] = frozenset({"editable", "modifiedOn", "timeRemaining"})

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """PATCH zones/ZONE/settings/NAME."""
        return Created(id=inputs["settingId"], outputs=self._write(ctx, inputs))

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """PATCH zones/ZONE/settings/NAME."""
        return self._write(ctx, news)

    def _write(self, ctx: Context, inputs: Properties) -> Properties:
        path = f"zones/{inputs['zoneId']}/settings/{inputs['settingId']}"
        body = {key: inputs[key] for key in ("value", "enabled") if inputs.get(key) is not None}
        return _setting_outputs(self.api.call(ctx, "PATCH", path, body=body))

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The setting as it is now. Import: ZONE/NAME."""
        zone, name = of_zone(id, state, inputs)
        try:
            live = self.api.call(ctx, "GET", f"zones/{zone}/settings/{name}")
        except NotFound:
            return None
        now = {**inputs, "zoneId": zone, "settingId": name, "value": live["value"]}
        return ReadResult(id=name, outputs={**now, **_setting_outputs(live)}, inputs=now)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """A setting cannot be deleted: it keeps its value."""
        ctx.log(f"the zone setting {id} cannot be deleted and keeps its value")


def _setting_outputs(live: Mapping[str, Any]) -> Properties:
    outputs = {
        "editable": live.get("editable", True),
        "modifiedOn": live.get("modified_on"),
        "timeRemaining": live.get("time_remaining"),
    }
    return {key: value for key, value in outputs.items() if value is not None}


class OriginCaCertificate(ApiResource):
    """A certificate of Cloudflare's origin CA, which its edge trusts."""

    token = "cloudflare:index/originCaCertificate:OriginCaCertificate"  # noqa: S105
    sdk = "pulumi_cloudflare:OriginCaCertificate"
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {"csr", "requestType", "hostnames", "requestedValidity"}
    )
    computed: ClassVar[frozenset[str]] = frozenset({"certificate", "expiresOn"})

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Refuses what the API would."""
        wrong = {}
        for name, known in (("requestType", REQUEST_TYPES), ("requestedValidity", VALIDITIES)):
            value = news.get(name)
            if value is not None and value is not UNKNOWN and value not in known:
                wrong[name] = f"{value!r} is not one of {', '.join(map(str, known))}"
        if wrong:
            raise CheckFailed(wrong)
        return news

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """POST certificates."""
        made = self.api.call(ctx, "POST", "certificates", body=snake(inputs))
        # The API's own default is an output: the real provider adds nothing to the inputs.
        outputs = {
            "certificate": made["certificate"],
            "expiresOn": made["expires_on"],
            "requestedValidity": made["requested_validity"],
        }
        return Created(id=made["id"], outputs=outputs)

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The certificate, None when it was revoked."""
        try:
            live = self.api.call(ctx, "GET", f"certificates/{id}")
        except NotFound:
            return None
        outputs = {**state, "certificate": live["certificate"], "expiresOn": live["expires_on"]}
        return ReadResult(id=id, outputs=outputs, inputs=inputs)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """Revokes it."""
        self.api.delete(ctx, f"certificates/{id}")


class CloudflareProvider(Provider):
    """The provider: `apiToken` and `baseUrl`, or CLOUDFLARE_API_TOKEN and CLOUDFLARE_BASE_URL."""

    name = "cloudflare"
    version = "6.23.1"
    config_sdk = "pulumi_cloudflare:Provider"
    config_secrets: ClassVar[frozenset[str]] = frozenset(
        {"apiKey", "apiToken", "apiUserServiceKey"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.api = Client(BASE_URL, None)

    def check_config(self, ctx: Context, news: Properties) -> Properties:
        """Refuses the older kinds of credentials."""
        for name in ("apiKey", "apiUserServiceKey"):
            if news.get(name) is not None:
                raise CheckFailed({name: "the stand-in plugin takes an apiToken only"})
        return news

    def configure(self, ctx: Context, config: Properties) -> None:
        """Takes the API's address and the token."""
        base = config.get("baseUrl") or os.environ.get("CLOUDFLARE_BASE_URL") or BASE_URL
        self.api = Client(base, config.get("apiToken") or os.environ.get("CLOUDFLARE_API_TOKEN"))

    def resources(self) -> tuple[Resource, ...]:
        """Records, settings, certificates, rulesets."""
        return (
            *(DnsRecord(self), ZoneSetting(self), OriginCaCertificate(self)),
            *(HostnameCertificate(self), AuthenticatedOriginPulls(self)),
            cloudflare_rulesets.Ruleset(self),
        )

    def invokes(self) -> Mapping[str, Invoke]:
        """Address ranges, zones, a zone's records and rulesets."""
        return {
            "cloudflare:index/getIpRanges:getIpRanges": self._ranges,
            "cloudflare:index/getZone:getZone": self._zone,
            "cloudflare:index/getDnsRecords:getDnsRecords": self._records,
            **cloudflare_rulesets.invokes(self),
        }

    def invoke_sdk(self, token: str) -> str | None:
        """The SDK's functions."""
        name = token.rsplit(":", 1)[-1]
        python = re.sub(r"([A-Z])", r"_\1", name).lower()
        return f"pulumi_cloudflare.{python}:{python}"

    def _ranges(self, ctx: Context, arguments: Properties) -> Properties:
        published = cloudflare_ranges.PUBLISHED
        answer = published if offline() else self.api.call(ctx, "GET", "ips")
        return {
            "etag": answer["etag"],
            "ipv4Cidrs": list(answer["ipv4_cidrs"]),
            "ipv6Cidrs": list(answer["ipv6_cidrs"]),
            "jdcloudCidrs": list(answer.get("jdcloud_cidrs") or ()),
            **arguments,
        }

    def _records(self, ctx: Context, arguments: Properties) -> Properties:
        filters = {"direction": "asc", "match": "all", "order": "type", "tagMatch": "all"}
        if offline():
            return {**filters, **arguments, "results": []}
        asked = {
            f"{field}.{how}": value
            for field in ("name", "content")
            for how, value in snake(arguments.get(field) or {}).items()
        }
        known = {"name.exact", "content.exact"}
        if set(asked) - known:
            raise PluginError(f"the stand-in plugin looks for {', '.join(sorted(known))} only")
        if arguments.get("type"):
            asked["type"] = arguments["type"]
        found = self.api.call(ctx, "GET", f"zones/{arguments['zoneId']}/dns_records", query=asked)
        rows = [
            {**camel(row), "meta": json.dumps(row.get("meta") or {}), "zoneId": None}
            for row in found
        ]
        return {**filters, **arguments, "results": [_without_nothing(row) for row in rows]}

    def _zone(self, ctx: Context, arguments: Properties) -> Properties:
        wanted = arguments.get("filter") or {}
        if offline():
            return {
                "id": "0" * 32,
                "zoneId": "0" * 32,
                "name": wanted.get("name") or "",
                **arguments,
            }
        if arguments.get("zoneId"):
            found = self.api.call(ctx, "GET", f"zones/{arguments['zoneId']}")
        else:
            query = {key: str(wanted[key]) for key in ("name", "status", "match") if key in wanted}
            zones = self.api.call(ctx, "GET", "zones", query=query)
            if len(zones) != 1:
                raise PluginError(
                    f"found {len(zones)} zones for {json.dumps(wanted)}, not one; does the token "
                    "have Zone:Read on this zone?"
                )
            found = zones[0]
        return {**camel(found), "zoneId": found["id"], **arguments}


if __name__ == "__main__":
    serve(CloudflareProvider())

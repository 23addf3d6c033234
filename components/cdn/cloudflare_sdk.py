"""What this layer uses of Cloudflare's SDK: a few resources and functions, declared by hand.

`pulumi_cloudflare` declares all of Cloudflare in one module, whose import takes six seconds of CPU
on every preview and update. These ask the engine for the same, by the same names; a test compares
every property with the SDK's own, whose version this is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pulumi

PACKAGE = "pulumi_cloudflare"


def with_version(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """With the version of the SDK, whose plugin the engine is to take."""
    return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=version(PACKAGE)), opts)


def _with_secret_key(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    hidden = pulumi.ResourceOptions(additional_secret_outputs=["privateKey"])
    return pulumi.ResourceOptions.merge(with_version(opts), hidden)


def _given(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if value is not None}


class Provider(pulumi.ProviderResource):
    """The provider `cloudflare`: `api_token` is kept as a secret."""

    def __init__(
        self,
        name: str,
        *,
        api_token: pulumi.Input[str] | None = None,
        base_url: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        secret = None if api_token is None else pulumi.Output.secret(api_token)
        hidden = pulumi.ResourceOptions(
            additional_secret_outputs=["apiKey", "apiToken", "apiUserServiceKey"]
        )
        super().__init__(
            "cloudflare",
            name,
            _given({"apiToken": secret, "baseUrl": base_url}),
            pulumi.ResourceOptions.merge(with_version(opts), hidden),
        )


class DnsRecord(pulumi.CustomResource):
    """A DNS record of a zone; `ttl` is in seconds, 1 for automatic."""

    TYPE = "cloudflare:index/dnsRecord:DnsRecord"

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str],
        zone_id: pulumi.Input[str],
        type: pulumi.Input[str],  # noqa: A002 - the SDK's own word
        content: pulumi.Input[str],
        proxied: pulumi.Input[bool],
        ttl: pulumi.Input[float],
        comment: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "zoneId": zone_id, "name": name, "type": type, "content": content,
            "proxied": proxied, "ttl": ttl, "comment": comment,
        }  # fmt: skip
        before = pulumi.ResourceOptions(
            aliases=[pulumi.Alias(type_="cloudflare:index/record:Record")]
        )
        opts = pulumi.ResourceOptions.merge(with_version(opts), before)
        super().__init__(self.TYPE, resource_name, inputs, opts)


class ZoneSetting(pulumi.CustomResource):
    """One setting of a zone, by its id in Cloudflare's API (`ssl`, `min_tls_version`)."""

    TYPE = "cloudflare:index/zoneSetting:ZoneSetting"

    def __init__(
        self,
        name: str,
        *,
        zone_id: pulumi.Input[str],
        setting_id: pulumi.Input[str],
        value: Any,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"zoneId": zone_id, "settingId": setting_id, "value": value}
        super().__init__(self.TYPE, name, inputs, with_version(opts))


class OriginCaCertificate(pulumi.CustomResource):
    """A certificate of the origin CA for the request `csr` (PEM); `requested_validity` in days."""

    TYPE = "cloudflare:index/originCaCertificate:OriginCaCertificate"
    certificate: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        csr: pulumi.Input[str],
        hostnames: pulumi.Input[Sequence[pulumi.Input[str]]],
        request_type: pulumi.Input[str],
        requested_validity: pulumi.Input[float],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "csr": csr, "hostnames": hostnames, "requestType": request_type,
            "requestedValidity": requested_validity,
            "certificate": None, "expiresOn": None,
        }  # fmt: skip
        super().__init__(self.TYPE, name, inputs, with_version(opts))


class AuthenticatedOriginPullsHostnameCertificate(pulumi.CustomResource):
    """A certificate and its key (PEM) that Cloudflare may show at the origin."""

    TYPE = (
        "cloudflare:index/authenticatedOriginPullsHostnameCertificate:"
        "AuthenticatedOriginPullsHostnameCertificate"
    )

    def __init__(
        self,
        name: str,
        *,
        zone_id: pulumi.Input[str],
        certificate: pulumi.Input[str],
        private_key: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "zoneId": zone_id, "certificate": certificate,
            "privateKey": pulumi.Output.secret(private_key),
        }  # fmt: skip
        super().__init__(self.TYPE, name, inputs, _with_secret_key(opts))


class AuthenticatedOriginPulls(pulumi.CustomResource):
    """Which certificate is shown for a name: `configs` has one row (`hostname`, `certId`,
    `enabled`)."""

    TYPE = "cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls"

    def __init__(
        self,
        name: str,
        *,
        zone_id: pulumi.Input[str],
        configs: Sequence[Mapping[str, pulumi.Input[Any]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"zoneId": zone_id, "configs": [dict(each) for each in configs]}
        super().__init__(self.TYPE, name, inputs, _with_secret_key(opts))


@dataclass(frozen=True)
class IpRanges:
    """Cloudflare's own ranges in CIDR notation; None from a provider that is not configured yet."""

    ipv4_cidrs: Sequence[str] | None
    ipv6_cidrs: Sequence[str] | None


@dataclass(frozen=True)
class Zone:
    """A zone; its id is None from a provider that is not configured yet."""

    zone_id: str | None


@dataclass(frozen=True)
class ZoneRecord:
    """A record of a zone under its whole name; what it does not have is empty."""

    name: str
    type: str
    content: str
    comment: str


GET_DNS_RECORDS = "cloudflare:index/getDnsRecords:getDnsRecords"
GET_IP_RANGES = "cloudflare:index/getIpRanges:getIpRanges"
GET_ZONE = "cloudflare:index/getZone:getZone"


def ask(
    token: str, arguments: Mapping[str, Any], opts: pulumi.InvokeOutputOptions
) -> pulumi.Output[Mapping[str, Any]]:
    """The answer to a function; empty from a provider that is not configured yet."""
    with_version = pulumi.InvokeOutputOptions.merge(
        pulumi.InvokeOptions(version=version(PACKAGE)), opts
    )
    answer: pulumi.Output[Any] = pulumi.runtime.invoke_output(
        token, dict(arguments), opts=with_version
    )
    return answer.apply(lambda given: given or {})


def get_ip_ranges_output(opts: pulumi.InvokeOutputOptions) -> pulumi.Output[IpRanges]:
    """The ranges, asked for on every run."""
    return ask(GET_IP_RANGES, {}, opts).apply(
        lambda answer: IpRanges(answer.get("ipv4Cidrs"), answer.get("ipv6Cidrs"))
    )


def get_zone_output(
    *,
    filter: Mapping[str, Any],  # noqa: A002 - the SDK's own word
    opts: pulumi.InvokeOutputOptions,
) -> pulumi.Output[Zone]:
    """The one zone that the filter finds (`name`, `match`)."""
    return ask(GET_ZONE, {"filter": filter}, opts).apply(lambda answer: Zone(answer.get("zoneId")))


def get_dns_records_output(
    *,
    zone_id: pulumi.Input[str],
    name: Mapping[str, Any],
    opts: pulumi.InvokeOutputOptions,
) -> pulumi.Output[Sequence[ZoneRecord]]:
    """The zone's records under a `name` (`exact`); none from a provider that is not configured
    yet."""

    def read(answer: Mapping[str, Any]) -> Sequence[ZoneRecord]:
        return [
            ZoneRecord(
                **{key: row.get(key) or "" for key in ("name", "type", "content", "comment")}
            )
            for row in answer.get("results") or []
        ]

    return ask(GET_DNS_RECORDS, {"zoneId": zone_id, "name": name}, opts).apply(read)

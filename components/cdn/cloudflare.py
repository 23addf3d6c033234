"""Cloudflare: asked for its ranges, its zone's records and TLS settings, its origin CA."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

import pulumi

from components.cdn import cloudflare_sdk as cloudflare
from components.cdn.kind import Kind, Secrets, SigningRequest, usable
from settings.models import Cdn as CdnSettings


class Cloudflare(Kind):
    """One zone at Cloudflare, or none: then only the ranges are read, which needs no token."""

    def __init__(self, settings: CdnSettings, secrets: Secrets) -> None:
        super().__init__(settings, secrets)
        token = secrets.cloudflare_api_token
        self._provider = cloudflare.Provider(
            "cloudflare",
            api_token=None if token is None else pulumi.Output.secret(token),
            base_url=settings.api_url,
        )

    def ranges(self, parent: pulumi.Resource) -> pulumi.Output[Sequence[str]]:
        """Cloudflare's own answer, asked for on every run."""
        asked = cloudflare.get_ip_ranges_output(
            opts=pulumi.InvokeOutputOptions(parent=parent, provider=self._provider)
        )
        return asked.apply(_answered)

    def sign(
        self, name: str, request: SigningRequest, parent: pulumi.Resource
    ) -> pulumi.Output[str]:
        """By the origin CA, which Cloudflare alone trusts."""
        leaf = cloudflare.OriginCaCertificate(
            name,
            csr=request.csr,
            hostnames=list(request.names),
            request_type="origin-ecc",
            requested_validity=request.hours // 24,
            opts=self._below(parent),
        )
        return leaf.certificate

    def records(self, origins: Sequence[IPv4Address], parent: pulumi.Resource) -> None:
        """A proxied A record of every name for every origin, and the zone's TLS settings."""
        settings = self.settings
        if settings.zone is None:
            return
        zone = self._zone(parent)
        for record in settings.records:
            for origin in origins:
                cloudflare.DnsRecord(
                    f"{record}-{origin}",
                    zone_id=zone,
                    name=record,
                    type="A",
                    content=str(origin),
                    proxied=True,
                    ttl=1,
                    comment=f"{pulumi.get_project()}/{pulumi.get_stack()}",
                    opts=self._below(parent),
                )
        for setting, value in (
            ("ssl", settings.ssl),
            ("min_tls_version", settings.min_tls_version),
        ):
            cloudflare.ZoneSetting(
                setting, zone_id=zone, setting_id=setting, value=value, opts=self._below(parent)
            )

    def _zone(self, parent: pulumi.Resource) -> pulumi.Input[str]:
        if self.settings.zone_id is not None:
            return self.settings.zone_id
        found = cloudflare.get_zone_output(
            filter={"name": self.settings.zone, "match": "all"},
            opts=pulumi.InvokeOutputOptions(parent=parent, provider=self._provider),
        )
        return found.apply(lambda answer: answer.zone_id or "")

    def _below(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=parent, provider=self._provider)


def _answered(answer: cloudflare.IpRanges) -> pulumi.Output[Sequence[str]]:
    given = list(answer.ipv4_cidrs or [])
    if not given and pulumi.runtime.is_dry_run():
        # A provider that is not configured yet answers a preview with nothing.
        return _unknown()
    return pulumi.Output.from_input(usable(given, "Cloudflare's list of ranges"))


def _unknown() -> pulumi.Output[Sequence[str]]:
    async def value() -> Sequence[str]:
        return []

    async def never() -> bool:
        return False

    return pulumi.Output(set(), value(), never(), never())

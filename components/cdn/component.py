"""Cloudflare: its address ranges first in the chain, its records last."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

import pulumi
import pulumi_cloudflare as cloudflare

from components.cdn.verify import RangesRefused, usable_ranges
from settings.models import Cdn


def cloudflare_provider(
    name: str,
    *,
    cdn: Cdn,
    api_token: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions | None = None,
) -> cloudflare.Provider:
    """The provider of the stack's zone. `api_token` may be absent where only ranges are read."""
    return cloudflare.Provider(
        name,
        api_token=None if api_token is None else pulumi.Output.secret(api_token),
        base_url=cdn.api_url,
        opts=opts,
    )


class CdnRanges(pulumi.ComponentResource):
    """The addresses from which the CDN calls, never empty.

    `ranges` is a late output where Cloudflare is asked: it flows into the routers' set and the
    balancers' list, and into no address. A set that would close the routers, or open them, fails
    the update.
    """

    ranges: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        *,
        cdn: Cdn,
        provider: cloudflare.Provider | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("layered-cloud:cdn:Ranges", name, {}, opts)
        if cdn.kind == "listed":
            listed = _usable([str(each) for each in cdn.range_list], "cdn.range_list")
            self.ranges = pulumi.Output.from_input(listed)
        else:
            asked = cloudflare.get_ip_ranges_output(
                opts=pulumi.InvokeOutputOptions(parent=self, provider=provider)
            )
            self.ranges = asked.apply(_answered)
        self.register_outputs({"ranges": self.ranges})


def _usable(given: Sequence[str], source: str) -> list[str]:
    try:
        return usable_ranges(given, source)
    except RangesRefused as refused:
        raise pulumi.RunError(str(refused)) from refused


def _answered(answer: cloudflare.GetIpRangesResult) -> pulumi.Output[Sequence[str]]:
    given = list(answer.ipv4_cidrs or [])
    if not given and pulumi.runtime.is_dry_run():
        # A provider that is not configured yet answers a preview with nothing.
        return _unknown()
    return pulumi.Output.from_input(_usable(given, "Cloudflare's list of ranges"))


def _unknown() -> pulumi.Output[Sequence[str]]:
    async def value() -> Sequence[str]:
        return []

    async def never() -> bool:
        return False

    return pulumi.Output(set(), value(), never(), never())


class CdnRecords(pulumi.ComponentResource):
    """Proxied A records of every name to every public VIP, and the zone's TLS settings.

    Leaves out: rules, cache and paid features, which belong to whoever owns the zone. Without a
    zone it makes nothing.
    """

    names: pulumi.Output[Sequence[str]]
    """The names served."""
    urls: pulumi.Output[Sequence[str]]
    """Of the service, as clients call it; a wildcard is no name to call."""

    def __init__(
        self,
        name: str,
        *,
        cdn: Cdn,
        origins: Sequence[IPv4Address],
        provider: cloudflare.Provider | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("layered-cloud:cdn:Records", name, {}, opts)
        if cdn.zone is not None:
            child = pulumi.ResourceOptions(parent=self, provider=provider)
            zone = self._zone(cdn, provider)
            for record in cdn.records:
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
                        opts=child,
                    )
            for setting, value in (("ssl", cdn.ssl), ("min_tls_version", cdn.min_tls_version)):
                cloudflare.ZoneSetting(
                    setting, zone_id=zone, setting_id=setting, value=value, opts=child
                )
        self.names = pulumi.Output.from_input(list(cdn.records))
        self.urls = pulumi.Output.from_input(
            [f"https://{record}/" for record in cdn.records if not record.startswith("*.")]
        )
        self.register_outputs({"names": self.names, "urls": self.urls})

    def _zone(self, cdn: Cdn, provider: cloudflare.Provider | None) -> pulumi.Input[str]:
        if cdn.zone_id is not None:
            return cdn.zone_id
        found = cloudflare.get_zone_output(
            filter=cloudflare.GetZoneFilterArgs(name=cdn.zone, match="all"),
            opts=pulumi.InvokeOutputOptions(parent=self, provider=provider),
        )
        return found.apply(lambda answer: answer.zone_id or "")

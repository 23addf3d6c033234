"""Cloudflare: asked for its ranges, its zone's records, settings and rules, its origin CA."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.cdn import cloudflare_rulesets_sdk as sdk
from components.cdn import cloudflare_sdk as cloudflare
from components.cdn import rulesets, taken_over
from components.cdn.kind import Kind, Secrets, SigningRequest, usable
from components.cdn.origin_pulls import OriginPulls
from components.cdn.rulesets import FoundRule, FoundRuleset
from components.cdn.zone import (
    Found,
    called,
    content_of,
    refusals,
    settings_of,
    strays,
    type_of,
)
from components.host.errors import LayerError
from settings.models import Cdn as CdnSettings


class Cloudflare(Kind):
    """One zone at Cloudflare, or none: then only the ranges are read, which needs no token."""

    def __init__(self, settings: CdnSettings, secrets: Secrets) -> None:
        super().__init__(settings, secrets)
        token = secrets.cloudflare_api_token
        self._token = "" if token is None else pulumi.Output.secret(token)
        self._mark = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        self._found_zone: pulumi.Output[str] | None = None
        self._pulls: OriginPulls | None = None
        self._after: Sequence[pulumi.Input[pulumi.Resource]] = ()
        self._provider = cloudflare.Provider(
            "cloudflare",
            api_token=None if token is None else pulumi.Output.secret(token),
            base_url=settings.api_url,
        )

    def ranges(
        self, parent: pulumi.Resource, *, ipv6: bool = False
    ) -> pulumi.Output[Sequence[str]]:
        """Cloudflare's own answer, asked for on every run."""
        asked = cloudflare.get_ip_ranges_output(
            opts=pulumi.InvokeOutputOptions(parent=parent, provider=self._provider)
        )
        return asked.apply(lambda answer: _answered(answer, ipv6=ipv6))

    def authorities(self, name: str) -> pulumi.Input[str] | None:
        """The stack's own, which sign what `records` has Cloudflare show."""
        wanted, zone = self.settings.origin_pulls, self.settings.zone
        if wanted is None or zone is None:
            return None
        self._pulls = OriginPulls(name, wanted, subject=zone)
        return self._pulls.authorities

    def look(self, parent: pulumi.Resource) -> pulumi.Output[Sequence[Found]]:
        """Every record under one of the stack's names, one question a name, and where the stack has
        rules every ruleset of their phases."""
        zone = self.settings.zone
        if zone is None:
            return super().look(parent)
        identifier = self._zone(parent)
        answers = [
            cloudflare.get_dns_records_output(
                zone_id=identifier,
                name={"exact": record},
                opts=pulumi.InvokeOutputOptions(parent=parent, provider=self._provider),
            )
            for record in dict.fromkeys(
                [*self.settings.records, *(each.name for each in self.settings.unproxied)]
            )
        ]
        both = pulumi.Output.all(
            records=pulumi.Output.all(*answers), rules=self._standing_rules(identifier, parent)
        )
        return both.apply(lambda all_: self._judged(zone, all_["records"], all_["rules"]))

    def _standing_rules(
        self, identifier: pulumi.Input[str], parent: pulumi.Resource
    ) -> pulumi.Output[Sequence[FoundRuleset]]:
        """What the zone has in the phases of `cdn.rules`; nothing is asked for a stack without
        rules, whose token need not be allowed to."""
        if not any(listed for _, listed in self.settings.rules.lists()):
            return pulumi.Output.from_input([])
        asked = pulumi.InvokeOutputOptions(parent=parent, provider=self._provider)

        def read(of: sdk.ZoneRuleset) -> pulumi.Output[FoundRuleset]:
            answer = sdk.get_ruleset_output(zone_id=identifier, id=of.id, opts=asked)
            return answer.apply(
                lambda known: FoundRuleset(
                    phase=of.phase,
                    description=known.description,
                    rules=[
                        FoundRule(ref=each.ref, description=each.description)
                        for each in known.rules
                    ],
                )
            )

        def each(of: Sequence[sdk.ZoneRuleset]) -> pulumi.Output[Sequence[FoundRuleset]]:
            phases = rulesets.PHASES.values()
            mine = [one for one in of if one.kind == "zone" and one.phase in phases]
            return pulumi.Output.all(*[read(one) for one in mine])

        listed = sdk.get_rulesets_output(zone_id=identifier, opts=asked)
        return listed.apply(each)

    def _judged(
        self,
        zone: str,
        answers: Sequence[Sequence[cloudflare.ZoneRecord]],
        standing: Sequence[FoundRuleset],
    ) -> Sequence[Found]:
        found = [
            Found(name=each.name, type=each.type, content=each.content, comment=each.comment)
            for answer in answers
            for each in answer
        ]
        refused = refusals(
            found,
            zone=zone,
            mark=self._mark,
            records=self.settings.records,
            unproxied=self.settings.unproxied,
        )
        refused += rulesets.refusals(
            standing, rules=self.settings.rules, zone=zone, mark=self._mark
        )
        if refused:
            raise LayerError("cdn", refused)
        return found

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

    def records(
        self,
        origins: Sequence[IPv4Address | IPv6Address],
        parent: pulumi.Resource,
        after: Sequence[pulumi.Input[pulumi.Resource]] = (),
    ) -> None:
        """A proxied A or AAAA record of every name for every origin, what it shows for these names
        when it calls, and the zone's settings and rules where the stack owns it."""
        settings = self.settings
        if settings.zone is None:
            return
        self._after = after
        # Nothing is made before every name was looked at.
        seen = pulumi.Output.all(zone=self._zone(parent), found=self.found)
        zone = seen.apply(lambda known: str(known["zone"]))
        name, mark = settings.zone, self._mark

        def warned(found: Sequence[Found]) -> None:
            past = settings.unproxied
            for each in strays(found, zone=name, mark=mark, origins=origins, unproxied=past):
                pulumi.log.warn(each)

        self.found.apply(warned)
        for record in settings.records:
            for origin in origins:
                # "::" parts a resource's URN.
                resource = f"{record}-{origin.exploded.replace(':', '-')}"
                held = taken_over.Record(
                    name=record, type=type_of(origin), content=str(origin), mark=self._mark
                )
                self._record(resource, held, zone, parent)
        for each in settings.unproxied:
            held = taken_over.Record(
                name=each.name, type=each.type, content=content_of(each), mark=self._mark
            )
            self._record(called(each), held, zone, parent, proxied=False, ttl=each.ttl or 1)
        for setting, value in settings_of(settings).items():
            cloudflare.ZoneSetting(
                setting, zone_id=zone, setting_id=setting, value=value, opts=self._below(parent)
            )

        self._ruled(zone, parent)
        if self._pulls is not None:
            self._shown(self._pulls, zone, parent)

    def _record(
        self,
        resource: str,
        held: taken_over.Record,
        zone: pulumi.Output[str],
        parent: pulumi.Resource,
        *,
        proxied: bool = True,
        ttl: int = 1,
    ) -> None:
        cloudflare.DnsRecord(
            resource,
            zone_id=zone,
            name=held.name,
            type=held.type,
            content=held.content,
            proxied=proxied,
            ttl=ttl,
            comment=self._mark,
            opts=self._again(resource, held, zone, parent),
        )

    def _ruled(self, zone: pulumi.Output[str], parent: pulumi.Resource) -> None:
        for phase, rules in rulesets.rulesets(self.settings.rules, self._mark).items():
            sdk.Ruleset(
                phase,
                zone_id=zone,
                kind="zone",
                # What the dashboard calls it: with another name it is replaced, not changed.
                name="default",
                phase=phase,
                description=self._mark,
                rules=rules,
                opts=self._again(
                    phase, taken_over.Ruleset(phase=phase, mark=self._mark), zone, parent
                ),
            )

    def _shown(self, pulls: OriginPulls, zone: pulumi.Input[str], parent: pulumi.Resource) -> None:
        """One certificate for the service's names, a resource each: the provider takes no more."""
        certificate = cloudflare.AuthenticatedOriginPullsHostnameCertificate(
            "origin-pulls",
            zone_id=zone,
            certificate=pulls.certificate,
            private_key=pulls.key,
            opts=self._below(parent),
        )
        for record in self.settings.records:
            cloudflare.AuthenticatedOriginPulls(
                record,
                zone_id=zone,
                configs=[{"certId": certificate.id, "enabled": True, "hostname": record}],
                opts=self._below(parent),
            )

    def _zone(self, parent: pulumi.Resource) -> pulumi.Input[str]:
        if self.settings.zone_id is not None:
            return self.settings.zone_id
        if self._found_zone is not None:
            return self._found_zone
        found = cloudflare.get_zone_output(
            filter={"name": self.settings.zone, "match": "all"},
            opts=pulumi.InvokeOutputOptions(parent=parent, provider=self._provider),
        )
        self._found_zone = found.apply(lambda answer: answer.zone_id or "")
        return self._found_zone

    def _again(
        self,
        name: str,
        what: taken_over.Standing,
        zone: pulumi.Input[str],
        parent: pulumi.Resource,
    ) -> pulumi.ResourceOptions:
        options = self._below(parent)
        hook = taken_over.hook(
            f"{name}-taken-over",
            what,
            base_url=self.settings.api_url or taken_over.API,
            token=self._token,
            zone_id=zone,
        )
        options.hooks = pulumi.ResourceHookBinding(on_error=[hook])
        return options

    def _below(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=parent, provider=self._provider, depends_on=list(self._after)
        )


def _answered(answer: cloudflare.IpRanges, *, ipv6: bool) -> pulumi.Output[Sequence[str]]:
    given = [*(answer.ipv4_cidrs or []), *((answer.ipv6_cidrs or []) if ipv6 else [])]
    if not given and pulumi.runtime.is_dry_run():
        # A provider that is not configured yet answers a preview with nothing.
        return _unknown()
    return pulumi.Output.from_input(usable(given, "Cloudflare's list of ranges", ipv6=ipv6))


def _unknown() -> pulumi.Output[Sequence[str]]:
    async def value() -> Sequence[str]:
        return []

    async def never() -> bool:
        return False

    return pulumi.Output(set(), value(), never(), never())

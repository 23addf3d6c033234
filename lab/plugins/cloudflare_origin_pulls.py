"""The `cloudflare` provider: what Cloudflare shows at the origin for a name.

As terraform-provider-cloudflare 5 does it: a certificate is replaced by any change; an association
has exactly one name, and goes by `enabled: null`.
"""

# ruff: noqa: A002 - `id` is the protocol's own word

from __future__ import annotations

from typing import Any, ClassVar

from lab.plugins.cloudflare_client import NotFound
from lab.plugins.cloudflare_names import camel, snake
from lab.plugins.cloudflare_resource import ApiResource, of_zone
from lab.plugins.resource import CheckFailed, Context, Created, Properties, ReadResult


def _path(zone: str, rest: str = "") -> str:
    return f"zones/{zone}/origin_tls_client_auth/hostnames{rest}"


class HostnameCertificate(ApiResource):
    """A certificate and its key that Cloudflare may show."""

    token = (
        "cloudflare:index/authenticatedOriginPullsHostnameCertificate:"  # noqa: S105
        "AuthenticatedOriginPullsHostnameCertificate"
    )
    sdk = "pulumi_cloudflare:AuthenticatedOriginPullsHostnameCertificate"
    replace_on: ClassVar[frozenset[str]] = frozenset({"zoneId", "certificate", "privateKey"})
    secrets: ClassVar[frozenset[str]] = frozenset({"privateKey"})
    computed: ClassVar[frozenset[str]] = frozenset(
        {"expiresOn", "issuer", "serialNumber", "signature", "status", "uploadedOn"}
    )

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """POST …/hostnames/certificates."""
        body = snake({key: inputs[key] for key in ("certificate", "privateKey")})
        made = self.api.call(ctx, "POST", _path(inputs["zoneId"], "/certificates"), body=body)
        return Created(id=made["id"], outputs=_known(made, self.computed))

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The certificate; its key is never shown. Import: ZONE/ID."""
        zone, certificate = of_zone(id, state, inputs)
        try:
            live = self.api.call(ctx, "GET", _path(zone, f"/certificates/{certificate}"))
        except NotFound:
            return None
        now = {**inputs, "zoneId": zone, "certificate": live["certificate"]}
        outputs = {**state, **now, **_known(live, self.computed)}
        return ReadResult(id=certificate, outputs=outputs, inputs=now)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """DELETE …/hostnames/certificates/ID."""
        self.api.delete(ctx, _path(state["zoneId"], f"/certificates/{id}"))


class AuthenticatedOriginPulls(ApiResource):
    """Which certificate is shown for one name."""

    token = "cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls"  # noqa: S105
    sdk = "pulumi_cloudflare:AuthenticatedOriginPulls"
    replace_on: ClassVar[frozenset[str]] = frozenset({"zoneId"})
    secrets: ClassVar[frozenset[str]] = frozenset({"privateKey"})
    volatile: ClassVar[frozenset[str]] = frozenset({"updatedAt"})
    computed: ClassVar[frozenset[str]] = volatile | {
        "certId", "certStatus", "certUploadedOn", "certificate", "enabled", "expiresOn",
        "hostname", "issuer", "serialNumber", "signature", "status",
    }  # fmt: skip

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Refuses what the provider would."""
        rows = news.get("configs")
        if isinstance(rows, list) and len(rows) != 1:
            words = "config must contain exactly one hostname association"
            raise CheckFailed({"configs": words})
        return news

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """PUT …/hostnames."""
        outputs = self._put(ctx, inputs)
        return Created(id=outputs["hostname"], outputs=outputs)

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """PUT …/hostnames."""
        return self._put(ctx, news)

    def _put(self, ctx: Context, inputs: Properties) -> Properties:
        row = snake(inputs["configs"][0])
        body = {"config": [row]}
        rows = self.api.call(ctx, "PUT", _path(inputs["zoneId"]), body=body)
        ours = next(each for each in rows if each["hostname"] == row["hostname"])
        return _known(ours, self.computed)

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The association. Import: ZONE/NAME."""
        zone, name = of_zone(id, state, inputs)
        try:
            live = self.api.call(ctx, "GET", _path(zone, f"/{name}"))
        except NotFound:
            return None
        row = {"certId": live["cert_id"], "enabled": live["enabled"], "hostname": name}
        now = {**inputs, "zoneId": zone, "configs": [row]}
        outputs = {**state, **now, **_known(live, self.computed)}
        return ReadResult(id=name, outputs=outputs, inputs=now)

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """PUT …/hostnames, `enabled: null`."""
        row = {"hostname": id, "cert_id": state.get("certId"), "enabled": None}
        self.api.call(ctx, "PUT", _path(state["zoneId"]), body={"config": [row]})


def _known(live: Any, names: frozenset[str]) -> Properties:
    found = camel(live)
    return {key: found[key] for key in names if found.get(key) is not None}

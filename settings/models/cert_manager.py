"""Certificates that the cluster asks for and renews itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.models.base import Domain, Form, Name, Strict
from settings.models.charts import Chart
from settings.models.urls import WebUrl

Email = Annotated[
    str,
    Form(
        r"[A-Za-z0-9._%+-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
        "is no mail address",
        "write NAME@HOST, the host in lower case",
    ),
]
TOKEN_REFERENCE = "cert-manager/cloudflare/api-token"  # noqa: S105 (the name of a line, no secret)
"""Whose line in `platformSecrets` is the Cloudflare token of the DNS challenges."""


class Issuer(Strict):
    """Who signs certificates for every namespace (a ClusterIssuer)."""

    name: Name
    """What certificates and Ingress objects call it."""
    kind: Literal["acme-dns01", "acme-http01", "own-ca"]
    """ACME with a record at Cloudflare, ACME with an answer at the ingress, or an authority that
    the cluster makes for itself."""
    server: WebUrl = "https://acme-v02.api.letsencrypt.org/directory"
    """The ACME directory."""
    email: Email | None = None
    """Where the ACME server writes to; only for ACME."""
    zones: list[Domain] = Field(default_factory=list)
    """The zones at Cloudflare whose names it may ask for; only for acme-dns01."""


class CertManager(Strict):
    """cert-manager, and who signs."""

    chart: Chart
    """Its chart."""
    issuers: list[Issuer] = Field(min_length=1)
    """Who signs."""

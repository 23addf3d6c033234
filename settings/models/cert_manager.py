"""Certificates that the cluster asks for and renews itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field

from settings.models.base import Domain, Form, Name, Strict
from settings.models.charts import Chart
from settings.models.urls import DirectoryUrl

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


@dataclass(frozen=True, kw_only=True)
class IssuerTraits:
    """What a kind of issuer asks of a stack: whether it `writes` to somebody (ACME's `email`), and
    whether it proves names by a record in `zones` (then it needs the token, too)."""

    writes: bool
    zones: bool
    answers: bool
    """Whether it proves names by an answer at the ingress."""


CHALLENGE_PATH: Final = "/.well-known/acme-challenge"
"""Below it an ACME server asks for an answer, at port 80 (RFC 8555, section 8.3)."""
ISSUER_KINDS: Final[Mapping[str, IssuerTraits]] = MappingProxyType(
    {
        "acme-dns01": IssuerTraits(writes=True, zones=True, answers=False),
        "acme-http01": IssuerTraits(writes=True, zones=False, answers=True),
        "own-ca": IssuerTraits(writes=False, zones=False, answers=False),
    }
)
"""By the word of `Issuer.kind`."""


class Issuer(Strict):
    """Who signs certificates for every namespace (a ClusterIssuer)."""

    name: Name
    """What certificates and Ingress objects call it."""
    kind: Literal["acme-dns01", "acme-http01", "own-ca"]
    """ACME with a record at Cloudflare, ACME with an answer at the ingress, or an authority that
    the cluster makes for itself."""
    server: DirectoryUrl = "https://acme-v02.api.letsencrypt.org/directory"
    """The ACME directory."""
    email: Email | None = None
    """Where the ACME server writes to; only for ACME."""
    zones: list[Domain] = Field(default_factory=list)
    """The zones at Cloudflare whose names it may ask for; only for acme-dns01."""

    @property
    def traits(self) -> IssuerTraits:
        """Of its kind."""
        return ISSUER_KINDS[self.kind]


class CertManager(Strict):
    """cert-manager, and who signs."""

    chart: Chart
    """Its chart."""
    issuers: list[Issuer] = Field(min_length=1)
    """Who signs."""

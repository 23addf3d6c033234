"""Certificates that the balancers order themselves, of an authority that speaks ACME (RFC 8555)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from settings.models.base import Domain, Strict
from settings.models.cert_manager import Email
from settings.models.origin_pulls import Authorities
from settings.models.urls import SecureUrl


@dataclass(frozen=True, kw_only=True)
class ChallengeTraits:
    """How a kind of challenge proves names: by an answer of ours at port 80 (`answers`), or by a
    record in `zones` (then it needs the token, too), which alone proves a wildcard."""

    answers: bool
    zones: bool


CHALLENGES: Final[Mapping[str, ChallengeTraits]] = MappingProxyType(
    {
        "http-01": ChallengeTraits(answers=True, zones=False),
        "dns-01": ChallengeTraits(answers=False, zones=True),
    }
)
"""By the word of `Acme.challenge`."""
ACME_TOKEN: Final = "acmeDnsToken"  # noqa: S105 (the name of a secret, no secret)
"""The Cloudflare token of the DNS challenges: the balancers have it, so it is not the stack's."""

NO_CERTIFICATE: Final = "no-certificate-yet.invalid"
"""Whose the placeholder is that balancers show before their certificate has come: nobody's (RFC
2606), so that HAProxy finds it for no name that has another one, and whoever is shown it sees why.
"""


class Acme(Strict):
    """Of whom the balancers order their certificate, and how its names are proven."""

    challenge: Literal["http-01", "dns-01"]
    """`http-01`: by an answer of the balancers at port 80. `dns-01`: by a record at Cloudflare,
    with the secret `acmeDnsToken`; the only one for wildcards."""
    email: Email
    """Where the authority writes to."""
    terms_agreed: bool = False
    """Whether you have read the authority's terms of service (its directory names them) and agree:
    nobody is registered there without."""
    directory: SecureUrl = "https://acme-v02.api.letsencrypt.org/directory"
    """The authority's directory. Let's Encrypt's for trying out, whose certificates nobody trusts:
    https://acme-staging-v02.api.letsencrypt.org/directory."""
    authorities: Authorities | None = None
    """Who signs what the directory's server shows (PEM), where it is one of your own. Null: who
    Debian trusts."""
    zones: list[Domain] = Field(default_factory=list)
    """The zones at Cloudflare that the names are in; only for dns-01."""

    @property
    def traits(self) -> ChallengeTraits:
        """Of its kind of challenge."""
        return CHALLENGES[self.challenge]

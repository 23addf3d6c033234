"""What one kind of CDN does for the chain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

import pulumi

from components.cdn.zone import Found
from components.host.errors import LayerError
from settings.models import Cdn as CdnSettings
from settings.models import RangesRefused, usable_ranges


class Secrets(Protocol):
    """The stack's secrets that a kind may need, each None where it is not set."""

    @property
    def cloudflare_api_token(self) -> pulumi.Input[str] | None: ...


@dataclass(frozen=True, kw_only=True)
class SigningRequest:
    """A certificate to be signed: `csr` is PEM for an ECDSA key, `hours` its lifetime."""

    csr: pulumi.Input[str]
    names: Sequence[str]
    hours: int


class Kind(ABC):
    """One kind of CDN. What it registers hangs below the `parent` that it is given."""

    found: pulumi.Output[Sequence[Found]]
    """What `look` came to."""

    def __init__(self, settings: CdnSettings, secrets: Secrets) -> None:
        self.settings = settings

    @abstractmethod
    def ranges(
        self, parent: pulumi.Resource, *, ipv6: bool = False
    ) -> pulumi.Output[Sequence[str]]:
        """The addresses from which the CDN calls, as `usable` gives them, with `ipv6` of IPv6
        too."""

    def look(self, parent: pulumi.Resource) -> pulumi.Output[Sequence[Found]]:
        """What the CDN has under the service's names before anything is changed. Raises
        `LayerError` in the output for what is somebody else's and would lead clients elsewhere."""
        return pulumi.Output.from_input([])

    def authorities(self, name: str) -> pulumi.Input[str] | None:
        """Who signs the certificate that it shows when it calls (PEM); None where it shows none.
        `name` is for what is made for it."""
        pulls = self.settings.origin_pulls
        return None if pulls is None else pulls.client_ca

    def sign(
        self, name: str, request: SigningRequest, parent: pulumi.Resource
    ) -> pulumi.Output[str]:
        """A certificate that the CDN trusts at its origin: a resource `name`, PEM. Raises
        `LayerError` for a CDN that has no authority of its own."""
        raise LayerError("cdn", [f"a CDN of kind {self.settings.kind} signs no certificates"])

    @abstractmethod
    def records(
        self,
        origins: Sequence[IPv4Address | IPv6Address],
        parent: pulumi.Resource,
        after: Sequence[pulumi.Input[pulumi.Resource]] = (),
    ) -> None:
        """Point the service's names at the origins, where the stack manages the CDN: `after` these
        on the way up, before them on the way down."""


def usable(given: Sequence[str], source: str, *, ipv6: bool = False) -> list[str]:
    """The ranges, sorted and without overlaps, of each family at least one; raises `LayerError` for
    a set that would close the routers, or open them: the update fails, and the set in use stays."""
    try:
        return usable_ranges(given, source, ipv6=ipv6)
    except RangesRefused as refused:
        raise LayerError("cdn", [str(refused)]) from refused

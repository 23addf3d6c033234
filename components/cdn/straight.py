"""No CDN: visitors come straight from the internet."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.cdn.kind import Kind
from settings.models import EVERYBODY, EVERYBODY6


class Straight(Kind):
    """Nobody stands in front: everybody may call, and no header names another's address."""

    def ranges(
        self, parent: pulumi.Resource, *, ipv6: bool = False
    ) -> pulumi.Output[Sequence[str]]:
        """All of the internet, because the stack says so; no CDN's answer can come to this."""
        return pulumi.Output.from_input([EVERYBODY, EVERYBODY6] if ipv6 else [EVERYBODY])

    def records(
        self,
        origins: Sequence[IPv4Address | IPv6Address],
        parent: pulumi.Resource,
        after: Sequence[pulumi.Input[pulumi.Resource]] = (),
    ) -> None:
        """None: the service's names are made elsewhere."""

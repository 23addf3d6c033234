"""Any CDN that publishes its address ranges, listed in the stack, and managed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pulumi

from components.cdn.kind import Kind, usable


class Listed(Kind):
    """Known by its ranges alone: no record is made, and no certificate signed."""

    def ranges(
        self, parent: pulumi.Resource, *, ipv6: bool = False
    ) -> pulumi.Output[Sequence[str]]:
        """The stack's own list."""
        given = [str(each) for each in self.settings.range_list]
        listed = usable(given, "cdn.range_list", ipv6=ipv6)
        return pulumi.Output.from_input(listed)

    def records(
        self,
        origins: Sequence[IPv4Address | IPv6Address],
        parent: pulumi.Resource,
        after: Sequence[pulumi.Input[pulumi.Resource]] = (),
    ) -> None:
        """None: its names are managed elsewhere."""

"""Any CDN that publishes its address ranges, listed in the stack, and managed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

import pulumi

from components.cdn.kind import Kind, usable


class Listed(Kind):
    """Known by its ranges alone: no record is made, and no certificate signed."""

    def ranges(self, parent: pulumi.Resource) -> pulumi.Output[Sequence[str]]:
        """The stack's own list."""
        listed = usable([str(each) for each in self.settings.range_list], "cdn.range_list")
        return pulumi.Output.from_input(listed)

    def records(
        self,
        origins: Sequence[IPv4Address],
        parent: pulumi.Resource,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        """None: its names are managed elsewhere."""

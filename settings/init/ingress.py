"""The ingress controllers, as `init` writes each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from settings.pinned import CHARTS, PinnedChart


@dataclass(frozen=True, kw_only=True)
class Ingress:
    """What one needs in the file: its `chart`, if it has one, whether that takes a health port, and
    the word and the words of how visitors get there (`topology`)."""

    chart: PinnedChart | None
    health: bool = True
    topology: str = "external"
    way: str = "external, by the balancers to whichever controller"

    def section(self, word: str, default: str) -> dict[str, Any]:
        """The keys of `platform.ingress` that say it, without the address."""
        said: dict[str, Any] = {}
        if self.chart is not None:
            said |= {} if word == default else {"kind": word}
            said["chart"] = self.chart.section()
        if not self.health:
            said["node_ports"] = {"health": None}
        return said


INGRESSES: Final[Mapping[str, Ingress]] = {
    "traefik": Ingress(chart=CHARTS["traefik"]),
    "nginx": Ingress(chart=CHARTS["nginx-ingress"], health=False),
    "haproxy": Ingress(chart=CHARTS["kubernetes-ingress"]),
    "contour": Ingress(chart=CHARTS["contour"], health=False),
    "cilium": Ingress(
        chart=None,
        topology="cilium-ingress",
        way="cilium-ingress, by the balancers to Cilium's own",
    ),
}
"""By the word of `platform.ingress.kind`. Without a chart the topology says the kind."""

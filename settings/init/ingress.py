"""The ingress controllers, as `init` writes each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class Ingress:
    """What one needs in the file: its `chart`, if it has one, whether that takes a health port, and
    the word and the words of how visitors get there (`topology`)."""

    chart: Mapping[str, str] | None
    health: bool = True
    topology: str = "external"
    way: str = "external, by the balancers to whichever controller"

    def section(self, word: str, default: str) -> dict[str, Any]:
        """The keys of `platform.ingress` that say it, without the address."""
        said: dict[str, Any] = {}
        if self.chart is not None:
            said |= {} if word == default else {"kind": word}
            said["chart"] = dict(self.chart)
        if not self.health:
            said["node_ports"] = {"health": None}
        return said


def _chart(name: str, repository: str, version: str) -> dict[str, str]:
    return {"chart": name, "repository": repository, "version": version}


INGRESSES: Final[Mapping[str, Ingress]] = {
    "traefik": Ingress(chart=_chart("traefik", "https://traefik.github.io/charts", "41.3.0")),
    "nginx": Ingress(
        chart=_chart("nginx-ingress", "https://helm.nginx.com/stable", "2.6.4"), health=False
    ),
    "haproxy": Ingress(
        chart=_chart("kubernetes-ingress", "https://haproxytech.github.io/helm-charts", "1.52.1")
    ),
    "contour": Ingress(
        chart=_chart("contour", "https://projectcontour.github.io/helm-charts", "0.7.0"),
        health=False,
    ),
    "cilium": Ingress(
        chart=None,
        topology="cilium-ingress",
        way="cilium-ingress, by the balancers to Cilium's own",
    ),
}
"""By the word of `platform.ingress.kind`. Without a chart the topology says the kind."""

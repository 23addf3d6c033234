"""What a new stack is written with: charts, Kubernetes and containerd, each in one place. Pure.

`settings init` writes them, and the shipped stacks have the same. A stack file names its own all
the same, so that nothing moves a cluster but a change of its file. renovate.json reads this file as
text: a test says when it no longer finds a chart here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class PinnedChart:
    """A chart's name, its repository and its exact version, as a stack file names them."""

    chart: str
    repository: str
    version: str

    def section(self, **more: Any) -> dict[str, Any]:
        """The keys of `settings.models.Chart`, in the order that stack files have."""
        return {**asdict(self), **more}


_CHARTS: Final = (
    PinnedChart(chart="cilium", repository="https://helm.cilium.io", version="1.20.2"),
    PinnedChart(chart="metallb", repository="https://metallb.github.io/metallb", version="0.16.1"),
    PinnedChart(chart="traefik", repository="https://traefik.github.io/charts", version="41.3.0"),
    PinnedChart(chart="nginx-ingress", repository="https://helm.nginx.com/stable", version="2.6.4"),
    PinnedChart(
        chart="kubernetes-ingress",
        repository="https://haproxytech.github.io/helm-charts",
        version="1.52.1",
    ),
    PinnedChart(
        chart="contour",
        repository="https://projectcontour.github.io/helm-charts",
        version="0.7.0",
    ),
    PinnedChart(
        chart="kube-prometheus-stack",
        repository="https://prometheus-community.github.io/helm-charts",
        version="88.5.3",
    ),
)

CHARTS: Final[Mapping[str, PinnedChart]] = {each.chart: each for each in _CHARTS}
"""By the chart's name."""

KUBERNETES: Final = "1.36.3"
CONTAINERD: Final = "2.4.2-1~debian.12~bookworm"
"""Of Docker's repository for Debian 12, whose package is called containerd.io."""


def minor(version: str) -> str:
    """1.36 of 1.36.3: what Kubernetes' repositories are called by."""
    return version.rpartition(".")[0]

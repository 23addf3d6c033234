"""An ingress controller as one value: what it needs, and how the rest of the chain meets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from components.platform.addon import Addon, Site, Values


@dataclass(frozen=True, kw_only=True)
class Controller:
    """One kind of ingress controller.

    Its chart must make a Service called `service`, of type LoadBalancer and with
    `externalTrafficPolicy: Local`, so that a node's NodePort answers as long as the node has a pod
    of it; `http` and `https` name that Service's ports. Both take connections with a PROXY header
    from the balancers, and on `https` they are TLS; both answer "OPTIONS *" with a status below
    500. A pod that is told to leave takes connections until nobody sends it any, and finishes what
    it has. `values` makes the chart's values.
    """

    name: str
    namespace: str
    pod_security: Literal["privileged", "baseline", "restricted"]
    service: str
    http: str
    https: str
    ingress_class: str
    values: Callable[[Site], Values]

    def addon(self, site: Site) -> Addon:
        """What is installed for it."""
        return Addon(
            name=self.name,
            namespace=self.namespace,
            pod_security=self.pod_security,
            chart=site.settings.ingress.chart,
            values=self.values(site),
        )

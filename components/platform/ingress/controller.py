"""An ingress controller as one value: what it needs, and how the rest of the chain meets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from components.platform.addon import Addon, MadeAhead, Object, Site, Values, Webhook
from components.platform.ingress import placement
from settings.models import Ingress


@dataclass(frozen=True, kw_only=True)
class AccessLog:
    """A controller's lines about requests, a JSON object each: which `container` of its pods writes
    them, and which member of them is the `request_id` that the balancers gave."""

    container: str
    request_id: str


JOB = "ingress"
"""What Prometheus calls the pods that serve, whatever their kind; `instance` is their node."""
EACH = f'job="{JOB}"'
"""Chooses their series."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a controller's pods tell Prometheus, as its chart has it: which `container` of them, at
    which named `port` and `path`; and questions to Prometheus, by the legends of a graph:
    `requests` a second, `seconds` that one took (none where it does not tell), and the
    `connections` that it has."""

    container: str
    port: str
    path: str = "/metrics"
    requests: Mapping[str, str]
    seconds: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Controller:
    """One kind of ingress controller.

    Its chart must make a Service called `service`, of type LoadBalancer and with the
    `externalTrafficPolicy` that the stack says: with Local a node's NodePort answers as long as the
    node has a pod of it; `http` and `https` name that Service's ports. Both take connections with a
    PROXY header from the balancers, and on `https` they are TLS for any host, with whatever
    certificate; both answer "OPTIONS *" with a status below 500. A pod that is told to leave takes
    connections until nobody sends it any, and finishes what it has. `workload` is the name of what
    the pods that serve belong to, a DaemonSet or a Deployment as the stack chooses (`replicas`).
    `values` makes the chart's values, or those for the release of the addon that is its `carrier`:
    one without a chart of its own.

    `objects` are sent when the release is there, and once the API accepts them (`webhook`, which
    objects of kinds that the chart brings need). `minted` is a Secret that must be there before the
    release: a certificate of its own, say. `patches` are as an addon has them. Without
    `pod_security` the namespace is Kubernetes' own.

    `annotations` and `tls` are what an Ingress must say to be served as promised, where its host
    alone does not do: `tls` is all of an entry of `spec.tls` but its hosts (`{}` for one without a
    Secret), None where HTTPS is served without; `tls_annotations` go with it, and not with a
    certificate of the Ingress' own.

    `access_log` is what its values turn on where the stack has logging; None of one that does not
    write such a log, or not so that a request is found in it. `figures` is what Prometheus reads
    where the stack has monitoring; None of one that tells nothing.
    """

    name: str
    namespace: str
    pod_security: Literal["privileged", "baseline", "restricted"] | None = None
    workload: str
    service: str
    http: str
    https: str
    ingress_class: str
    values: Callable[[Site], Values]
    carrier: str | None = None
    objects: Callable[[Site], Mapping[str, Object]] | None = None
    patches: Callable[[Site], Mapping[str, Object]] | None = None
    webhook: Webhook | None = None
    minted: MadeAhead | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    tls: Mapping[str, str] | None = None
    tls_annotations: Mapping[str, str] = field(default_factory=dict)
    access_log: AccessLog | None = None
    figures: Figures | None = None

    @property
    def release(self) -> str:
        """The Helm release that brings its Service and its pods."""
        return self.carrier or self.name

    def pods(self, ingress: Ingress) -> str:
        """What the pods that serve belong to, as kubectl names it (`daemonset/NAME`)."""
        return f"{placement.kind(ingress).lower()}/{self.workload}"

    def addon(self, site: Site) -> Addon:
        """What is installed for it."""
        return Addon(
            name=self.name,
            namespace=self.namespace,
            pod_security=self.pod_security,
            chart=site.settings.ingress.chart,
            values=self.values(site),
            objects={} if self.objects is None else self.objects(site),
            patches={} if self.patches is None else self.patches(site),
            carrier=self.carrier,
            webhook=self.webhook,
            minted=() if self.minted is None else (self.minted,),
        )

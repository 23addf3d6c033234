"""An addon of the cluster: a Helm release, objects of its own, or both, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any, ClassVar, Literal

from components.host.bgp import Peering
from components.host.endpoint import ApiEndpoint
from components.host.target import Target
from components.host.text import merged
from settings.models import Chart, Networks, Platform, PublicService

Values = dict[str, Any]
Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Site:
    """What every addon may know of the cluster it goes to: decided values only.

    `lan_interface` is the nodes' LAN leg, the only one on which services are served; empty when
    they have none. `trusted` are the only addresses whose PROXY header is believed.
    `control_planes_work` says that control planes take ordinary pods. `peering` are the routers'
    BGP sessions, of which the nodes have an end. `targets` are the machines' exporters, `vips`
    every VIP by the role of the machines that hold it. `services` are what visitors reach by names
    of their own. `senders` are the machines that are no nodes and send their lines, with the LAN
    addresses that they send from. `backed_up` says that control planes ship backups of the cluster.
    """

    settings: Platform
    networks: Networks
    api: ApiEndpoint
    lan_interface: str
    node_count: int
    control_planes_work: bool
    trusted: Sequence[IPv4Address]
    peering: Peering | None = None
    targets: Sequence[Target] = ()
    vips: Mapping[str, Sequence[IPv4Address | IPv6Address]] = field(default_factory=dict)
    services: Sequence[PublicService] = ()
    senders: Mapping[str, IPv4Address] = field(default_factory=dict)
    backed_up: bool = False


UNAWAITED: Mapping[str, str] = {"pulumi.com/skipAwait": "true"}
"""Annotations of an object that the provider shall send and not watch."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Who judges an addon's objects: they are sent once the API accepts them in a dry run.

    That is an admission webhook of the chart's, or the API itself, which must have heard of the
    kinds that the chart brings. When they are not accepted in time, the update says so in the words
    of `refusal` and names `logs`, a command.
    """

    refusal: str
    logs: str


@dataclass(frozen=True, kw_only=True)
class Minted:
    """A Secret with one random value under `key`, made on the cluster where it is not there yet.

    For what an addon's pods mount and another of its pods would make: the kubelet tries a mount
    again at growing intervals, so that the release takes half a minute by chance.
    """

    name: str
    key: str
    template: ClassVar = "minted.sh.j2"


@dataclass(frozen=True, kw_only=True)
class SelfSigned:
    """A Secret of type kubernetes.io/tls with a self-made certificate for `host`, made on the
    cluster where it is not there yet, for ten years.

    For what must have a certificate to speak TLS at all, to those who do not verify it.
    """

    name: str
    host: str
    template: ClassVar = "self-signed.sh.j2"


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """A Secret with an authority's key and certificate and those of `host`, which it signed: what
    an admission webhook makes and renews itself that uses Open Policy Agent's cert-controller, and
    takes as its own where it is there. The chart of `release` brings the Secret empty, and Helm
    takes over the one that carries its marks.

    For a webhook that does not serve until the kubelet has mounted what it made: a matter of one
    second to a minute, by chance.
    Sources: cert-controller's pkg/rotator/rotator.go (names of keys, RSA in PKCS #1 for the
    authority, `lookaheadTime`); Helm's pkg/action/validate.go (`checkOwnership`).
    """

    name: str
    host: str
    release: str
    authority: str
    """The common name, and the only DNS name, that the webhook asks of its authority."""
    template: ClassVar = "rotated.sh.j2"


MadeAhead = Minted | SelfSigned | Rotated


@dataclass(frozen=True, kw_only=True)
class Identity:
    """An authority of the stack's own for what an addon signs, made before its release: the names
    of the authority (`root`) and of who signs by it (`issuer`), the Secret of type
    kubernetes.io/tls that has the issuer's key, and the ConfigMap (`roots`) with the authority's
    certificate under the key `bundle`."""

    root: str
    issuer: str
    secret: str
    roots: str
    bundle: str


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a Secret has beside its keys: `labels` by which others find it, and `plain` values that
    are no secret. `texts` are templates (`str.format`) by the keys that the Secret has in place of
    its own, which they name."""

    labels: Mapping[str, str] = field(default_factory=dict)
    plain: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Addon:
    """What is installed under one name: the pod network first, then all others side by side.

    `pod_security` is the level of the namespace that is made for it (Pod Security Standards,
    kubernetes.io/docs/concepts/security/pod-security-standards); `None` says that the namespace is
    Kubernetes' own, or another's. `values` are what the program decides for the chart; the stack's
    own are laid over them. `objects` are keyed by their resource names, and sent in their order
    once the release is there; those of kinds that the chart brings need a `webhook`. `minted` is
    there before the release, and so are `secrets`: Secrets by their names, with the keys whose
    values the stack's own secrets have. `after` names the addons without which this one cannot come
    up. `carrier` is the addon whose release takes this one's `values` beside its own. `patches` are
    fields of objects that a release made and whose chart has no value for them, keyed as `objects`
    and applied after these.
    """

    name: str
    namespace: str
    pod_security: Literal["privileged", "baseline", "restricted"] | None = None
    chart: Chart | None = None
    values: Values = field(default_factory=dict)
    objects: Mapping[str, Object] = field(default_factory=dict)
    webhook: Webhook | None = None
    network: bool = False
    """Whether it brings the pod network, without which no other addon's pods start."""
    minted: tuple[MadeAhead, ...] = ()
    passwords: Mapping[str, str] = field(default_factory=dict)
    """Secrets of type kubernetes.io/basic-auth, there before the objects: name to the name of the
    BGP sessions whose password each holds."""
    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    """What more some of `secrets` have, by their names."""
    after: tuple[str, ...] = ()
    carrier: str | None = None
    patches: Mapping[str, Object] = field(default_factory=dict)
    identity: Identity | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of its namespace, beside those of its standard."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Of its namespace."""

    @property
    def chart_values(self) -> Values:
        """The program's values with the stack's own laid over."""
        return merged(self.values, {} if self.chart is None else self.chart.values)

    def namespace_labels(self) -> dict[str, str]:
        """Labels that enforce the namespace's Pod Security Standard."""
        if self.pod_security is None:
            return {}
        return {
            "pod-security.kubernetes.io/enforce": self.pod_security,
            "pod-security.kubernetes.io/warn": self.pod_security,
        }

    def namespace_object(self) -> Object:
        """The namespace that is made for it."""
        labels = {**self.namespace_labels(), **self.labels}
        told = {"annotations": {**self.annotations}} if self.annotations else {}
        return {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": labels, **told},
        }

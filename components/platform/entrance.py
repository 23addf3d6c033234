"""The Ingress by which visitors reach a Service of the cluster. Pure.

Source: Kubernetes' API reference (networking.k8s.io/v1, Ingress).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.platform import cert_manager
from components.platform.addon import UNAWAITED, Object
from components.platform.ingress import Controller


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """Names and a path, and the Service behind them: `service` in `namespace`, its `port` by number
    or name. `issuer` signs what the ingress shows for it, where it is not the ingress' own.
    `annotations` are further ones. `other_class` is another controller's, of which nothing is
    known."""

    name: str
    namespace: str
    hosts: Sequence[str]
    path: str
    service: str
    port: int | str
    issuer: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    other_class: str | None = None


def ingress(entrance: Entrance, controller: Controller) -> Object:
    """Its Ingress, on both entry points; the certificate that visitors see is the balancers', the
    ingress' own may be signed by whom the stack names. It says whatever else the controller asks of
    an Ingress."""
    hosts = list(entrance.hosts)
    port = {"number" if isinstance(entrance.port, int) else "name": entrance.port}
    backend = {"service": {"name": entrance.service, "port": port}}
    paths = [{"path": entrance.path, "pathType": "Prefix", "backend": backend}]
    made: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": entrance.name, "namespace": entrance.namespace},
        "spec": {
            "ingressClassName": entrance.other_class or controller.ingress_class,
            "rules": [{"host": host, "http": {"paths": paths}} for host in hosts],
        },
    }
    own = entrance.other_class is None
    # Nobody knows whether that controller writes an address into the Ingress, for which the
    # provider waits.
    annotations = dict(controller.annotations) if own else dict(UNAWAITED)
    if entrance.issuer is not None:
        annotations[cert_manager.ISSUER_ANNOTATION] = entrance.issuer
        made["spec"]["tls"] = [{"hosts": hosts, "secretName": f"{entrance.name}-tls"}]
    elif own and controller.tls is not None:
        annotations |= controller.tls_annotations
        made["spec"]["tls"] = [{"hosts": hosts, **controller.tls}]
    annotations |= entrance.annotations
    if annotations:
        made["metadata"]["annotations"] = annotations
    return made

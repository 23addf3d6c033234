"""Istio with sidecars.

Sources: the charts' values.yaml and templates (base, cni, istiod) of the release branch that
follows 1.30; Istio's pages "PeerAuthentication", "Install the Istio CNI node agent", "Protocol
Selection" and "Platform-Specific Prerequisites" (Cilium); Kubernetes' "Sidecar Containers".
"""

from __future__ import annotations

from collections.abc import Mapping

from components.platform.addon import Addon, Object, Site, Webhook
from components.platform.mesh.kind import MeshKind
from settings.models import Mesh

NAMESPACE = "istio-system"
CRDS, CNI, CONTROL_PLANE = "istio-base", "istio-cni", "istiod"
WEBHOOK = Webhook(
    refusal="the cluster does not know Istio's kinds, or istiod does not judge them",
    logs=f"kubectl -n {NAMESPACE} logs deploy/istiod",
)


def crds(_: Site, given: Mesh) -> Addon:
    """Istio's kinds, as templates of the chart, so that an upgrade brings new ones."""
    return Addon(name=CRDS, namespace=NAMESPACE, pod_security="privileged", chart=given.crds)


def cni(_: Site, given: Mesh) -> Addon:
    """What leads connections to the proxies, on every node: without it each pod would need a
    container that may change its network, which the standard *restricted* refuses. The namespace is
    privileged for it."""
    return Addon(name=CNI, namespace=NAMESPACE, pod_security="privileged", chart=given.cni)


def control_plane(_: Site, given: Mesh) -> Addon:
    """istiod, and mutual TLS as the only way to pods that are in the mesh.

    The proxies are native sidecars: they end after the application, not before, so that streams
    have their five minutes. istiod has two pods, since its budget never lets an only one go.
    """
    return Addon(
        name=CONTROL_PLANE,
        namespace=NAMESPACE,
        pod_security="privileged",
        chart=given.control_plane,
        values={
            "cni": {"enabled": True},
            "env": {"ENABLE_NATIVE_SIDECARS": "true"},
            "autoscaleEnabled": False,
            "replicaCount": 2,
            "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}},
            "global": {"proxy": {"seccompProfile": {"type": "RuntimeDefault"}}},
        },
        objects={
            "mesh-mutual-tls": _authentication("default", NAMESPACE, {"mtls": {"mode": "STRICT"}})
        },
        webhook=WEBHOOK,
        after=(CRDS, CNI),
    )


def entrance(namespace: str, labels: Mapping[str, str], port: int) -> Object:
    """The ingress is in no mesh, so that it sees the balancers' own connections: the one port that
    it asks takes plain HTTP, too."""
    return _authentication(
        "ingress",
        namespace,
        {
            "selector": {"matchLabels": {**labels}},
            "mtls": {"mode": "STRICT"},
            "portLevelMtls": {str(port): {"mode": "PERMISSIVE"}},
        },
    )


def _authentication(name: str, namespace: str, spec: Object) -> Object:
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


KIND = MeshKind(
    crds=crds,
    cni=cni,
    control_plane=control_plane,
    labels={"istio-injection": "enabled"},
    entrance=entrance,
    webhook=WEBHOOK,
)

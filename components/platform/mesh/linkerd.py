"""Linkerd.

Sources: the charts' values.yaml and templates (linkerd-crds, linkerd2-cni, linkerd-control-plane;
edge-26.8); Linkerd's pages "Automatic mTLS", "CNI Plugin" (Cilium), "Using External Trust Anchors"
and "Ingress traffic".
"""

from __future__ import annotations

from components.platform.addon import Addon, Identity, Site
from components.platform.mesh.kind import MeshKind
from settings.models import Mesh

NAMESPACE = "linkerd"
CNI_NAMESPACE = "linkerd-cni"
CRDS, CNI, CONTROL_PLANE = "linkerd-crds", "linkerd2-cni", "linkerd-control-plane"
_DOMAIN = "linkerd.cluster.local"


def crds(_: Site, given: Mesh) -> Addon:
    """Linkerd's kinds, as templates of the chart, so that an upgrade brings new ones."""
    return Addon(name=CRDS, namespace=NAMESPACE, pod_security="restricted", chart=given.crds)


def cni(_: Site, given: Mesh) -> Addon:
    """What leads connections to the proxies, on every node: without it each pod would need a
    container that may change its network, which the standard *restricted* refuses. A pod that
    started before it was there is started anew."""
    return Addon(
        name=CNI,
        namespace=CNI_NAMESPACE,
        pod_security="privileged",
        chart=given.cni,
        values={"repairController": {"enabled": True}},
    )


def control_plane(site: Site, given: Mesh) -> Addon:
    """Linkerd's control plane, with the stack's own authority, and mutual TLS as the only way to
    pods that are in the mesh.

    The proxies are native sidecars: they end after the application, not before, so that streams
    have their five minutes. Nobody outside is told that it runs (`disableHeartBeat`).
    """
    networks = site.networks
    return Addon(
        name=CONTROL_PLANE,
        namespace=NAMESPACE,
        pod_security="restricted",
        chart=given.control_plane,
        values={
            "cniEnabled": True,
            "clusterNetworks": f"{networks.pods},{networks.services}",
            "identity": {"externalCA": True, "issuer": {"scheme": "kubernetes.io/tls"}},
            "proxy": {"defaultInboundPolicy": "all-authenticated", "nativeSidecar": True},
            "disableHeartBeat": True,
        },
        identity=Identity(
            root=f"root.{_DOMAIN}",
            issuer=f"identity.{_DOMAIN}",
            secret="linkerd-identity-issuer",  # noqa: S106 (the name of a Secret)
            roots="linkerd-identity-trust-roots",
            bundle="ca-bundle.crt",
        ),
        after=(CRDS, CNI),
    )


KIND = MeshKind(
    crds=crds,
    cni=cni,
    control_plane=control_plane,
    annotations={"linkerd.io/inject": "enabled"},
    # Whoever connects to the ingress does so past its proxy, and stays who he is; what the ingress
    # sends to pods goes through it.
    ingress={
        "linkerd.io/inject": "enabled",
        "config.linkerd.io/skip-inbound-ports": "1-65535",
    },
)

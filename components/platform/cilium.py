"""Cilium: the pod network, in place of kube-proxy.

Source: the chart's values.yaml, 1.15 to 1.20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.platform.addon import Addon, Site

MESHED: Mapping[str, Any] = {
    "cni": {"exclusive": False},
    "socketLB": {"hostNamespaceOnly": True},
}
"""With a mesh: its plugin stands beside Cilium's in /etc/cni/net.d, and pods' connections leave
them with the service's address, by which the proxies know what was meant (Cilium's guide
"Integration with Istio"; Linkerd's page "CNI Plugin")."""


def addon(site: Site) -> Addon:
    """Cilium in place of kube-proxy, routing natively on one LAN, without Envoy and Hubble.

    The API is reached at the balancers' VIP, since the service address that would lead there is
    Cilium's own work. Services are served on the LAN legs only: none on the management network.
    """
    return Addon(
        name="cilium",
        namespace="kube-system",
        network=True,
        chart=site.settings.cilium,
        values={
            "kubeProxyReplacement": True,
            "k8sServiceHost": str(site.api.lan),
            "k8sServicePort": site.api.port,
            "routingMode": "native",
            "autoDirectNodeRoutes": True,
            "ipv4NativeRoutingCIDR": str(site.networks.pods),
            "ipam": {"mode": "kubernetes"},
            "bpf": {"masquerade": True},
            "devices": [site.lan_interface],
            # Its pods refuse to share a node.
            "operator": {"replicas": min(2, site.node_count), "rollOutPods": True},
            "rollOutCiliumPods": True,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "envoy": {"enabled": False},
            "hubble": {"enabled": False},
            **({} if site.settings.mesh is None else MESHED),
        },
    )

"""The values of every chart: what the program decides, with the stack's own laid over.

Sources: the charts' values.yaml (Cilium 1.15 to 1.20, MetalLB 0.15 and 0.16, Traefik 41).
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from components.host.text import merged
from components.platform.args import PlatformArgs

Values = dict[str, Any]

INGRESS_NAME = "traefik"
INGRESS_NAMESPACE = "traefik"
POOL = "lan"
ADDRESS_ANNOTATION = "metallb.io/loadBalancerIPs"


def cilium(args: PlatformArgs) -> Values:
    """Cilium in place of kube-proxy, routing natively on one LAN, without Envoy and Hubble.

    The API is reached at the balancers' VIP, since the service address that would lead there is
    Cilium's own work. Services are served on the LAN legs only: none on the management network.
    """
    return merged(
        {
            "kubeProxyReplacement": True,
            "k8sServiceHost": str(args.api.lan),
            "k8sServicePort": args.api.port,
            "routingMode": "native",
            "autoDirectNodeRoutes": True,
            "ipv4NativeRoutingCIDR": str(args.networks.pods),
            "ipam": {"mode": "kubernetes"},
            "bpf": {"masquerade": True},
            "devices": [args.lan_interface],
            # Its pods refuse to share a node.
            "operator": {"replicas": min(2, args.node_count), "rollOutPods": True},
            "rollOutCiliumPods": True,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "envoy": {"enabled": False},
            "hubble": {"enabled": False},
        },
        args.settings.cilium.values,
    )


def metallb(args: PlatformArgs) -> Values:
    """MetalLB answering ARP for the pool (layer 2); no BGP, so no FRR in any form.

    kubeadm labels control planes as excluded from load balancers: where they take pods, their
    speakers must announce all the same.
    """
    return merged(
        {
            "frrk8s": {"enabled": False},
            "speaker": {
                "frr": {"enabled": False},
                "tolerateMaster": True,
                "ignoreExcludeLB": args.control_planes_work,
            },
        },
        args.settings.metallb.chart.values,
    )


def traefik(args: PlatformArgs) -> Values:
    """Traefik on every node that takes pods, seeing clients' own addresses.

    A request comes from HAProxy to a NodePort, with a PROXY header that only the balancers may
    send; one over HTTPS comes over TLS, since Traefik judges `X-Forwarded-Proto` by the client's
    address after PROXY. `externalTrafficPolicy: Local` keeps it on the node it came to; the
    health-check NodePort tells a balancer whether that node has a Traefik.
    """
    ingress = args.settings.ingress
    ports = ingress.node_ports
    trusted = {"trustedIPs": [f"{address}/32" for address in args.trusted]}
    spec: Values = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    if ports.health is not None:
        spec["healthCheckNodePort"] = ports.health
    return merged(
        {
            "deployment": {"kind": "DaemonSet"},
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "ingressClass": {"enabled": True, "isDefaultClass": True, "name": INGRESS_NAME},
            "providers": {
                "kubernetesCRD": {"enabled": False},
                "kubernetesIngress": {"enabled": True, "publishedService": {"enabled": True}},
            },
            "ports": {
                "web": {
                    **_node_port(ports.http),
                    "proxyProtocol": trusted,
                    "forwardedHeaders": trusted,
                },
                "websecure": {
                    **_node_port(ports.https),
                    "http": {"tls": {"enabled": True}},
                    "proxyProtocol": trusted,
                    "forwardedHeaders": trusted,
                },
            },
            "service": {
                "annotations": _address(ingress.load_balancer_ip),
                "spec": spec,
            },
        },
        ingress.chart.values,
    )


def _node_port(port: int | None) -> Values:
    return {} if port is None else {"nodePort": port}


def _address(address: IPv4Address | None) -> Values:
    return {} if address is None else {ADDRESS_ANNOTATION: str(address)}

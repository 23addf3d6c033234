"""Cilium's own ingress controller: no chart and no pods of its own, but an Envoy beside each agent.

Sources: Cilium's guides on Ingress (network/servicemesh/ingress) and on services without kube-proxy
(network/kubernetes/kubeproxy-free), its chart's values.yaml and templates, and its source for what
becomes of an Ingress (operator/pkg/model, pkg/ciliumenvoyconfig), 1.19 and 1.20.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.platform import metallb
from components.platform.addon import UNAWAITED, Object, SelfSigned, Site, Values
from components.platform.ingress import placement
from components.platform.ingress.controller import Controller
from settings.models import CHECKED_HOST

NAME = "cilium-ingress"
SERVICE = "cilium-ingress"
"""The one Service of the mode `shared`, as the chart calls it."""
NAMESPACE = "kube-system"
INGRESS_CLASS = "cilium"
CERTIFICATE = SelfSigned(name=f"{NAME}-certificate", host="ingress.invalid")
DIAL_SECONDS = 1
"""How long an application's pod may take to accept a connection, as with Traefik."""
NEVER_SECONDS = 86_400
"""As long as any timeout of the chain may be."""
MOST_CONNECTIONS = 500_000
"""As many as `balancers.max_connections` may be. By default an Envoy has 1024 to one Service and
answers the rest with 503. A million and more Helm would write as 1e+06."""


def values(site: Site) -> Values:
    """An Envoy on every node, to which the kernel's tables hand what the node gets for the Service;
    clients' own addresses from PROXY headers, without which nobody is served.

    An Envoy believes whoever connects, and Cilium's policies see the address of the header, not of
    who sent it. So the Service takes connections from the balancers alone (`patches`), and
    `lbSourceRangeAllTypes` says so of its NodePorts too.

    Of Envoy's limits those that are lower than the balancers' are raised; requests are repeated by
    nobody.
    """
    ingress = site.settings.ingress
    ports = {
        "insecureNodePort": ingress.node_ports.http,
        "secureNodePort": ingress.node_ports.https,
    }
    return {
        "l7Proxy": True,
        "bpf": {"lbSourceRangeAllTypes": True},
        "ingressController": {
            "enabled": True,
            "default": True,
            "loadbalancerMode": "shared",
            "enforceHttps": False,
            "enableProxyProtocol": True,
            "defaultSecretNamespace": NAMESPACE,
            "defaultSecretName": CERTIFICATE.name,
            "service": {
                "name": SERVICE,
                "type": "LoadBalancer",
                "externalTrafficPolicy": ingress.external_traffic_policy,
                "annotations": metallb.address_annotations(ingress.load_balancer_ip),
                **{name: port for name, port in ports.items() if port is not None},
            },
        },
        "envoy": {
            "enabled": True,
            "rollOutPods": True,
            "minReadySeconds": placement.READY_SECONDS,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "connectTimeoutSeconds": DIAL_SECONDS,
            "streamIdleTimeoutDurationSeconds": NEVER_SECONDS,
            "clusterMaxConnections": MOST_CONNECTIONS,
            "clusterMaxPendingRequests": MOST_CONNECTIONS,
            "clusterMaxRequests": MOST_CONNECTIONS,
            "maxGlobalDownstreamConnections": MOST_CONNECTIONS,
            # By default on a port of every node, on all its legs.
            "prometheus": {"enabled": False},
        },
    }


def objects(_: Site) -> Mapping[str, Object]:
    """An Ingress for the host that the balancers' checks name, so that every Envoy listens before
    there is any other, and speaks TLS with a client that names this host. What leads nowhere is
    answered with 404; the one path that an Ingress must have is nobody's."""
    backend = {"service": {"name": f"{NAME}-nobody", "port": {"number": 80}}}
    path = {"path": "/nobody", "pathType": "Exact", "backend": backend}
    made: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": f"{NAME}-checks",
            "namespace": NAMESPACE,
            # Its Service is not there, for which the provider would wait.
            "annotations": dict(UNAWAITED),
        },
        "spec": {
            "ingressClassName": INGRESS_CLASS,
            "rules": [{"host": CHECKED_HOST, "http": {"paths": [path]}}],
            "tls": [{"hosts": [CHECKED_HOST]}],
        },
    }
    return {f"{NAME}-checks": made}


def patches(site: Site) -> Mapping[str, Object]:
    """Who may connect to the Service: its chart has no value for it."""
    balancers = [f"{address}/32" for address in site.trusted]
    return {
        f"{NAME}-sources": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": NAMESPACE},
            "spec": {"loadBalancerSourceRanges": balancers},
        }
    }


CILIUM = Controller(
    name=NAME,
    namespace=NAMESPACE,
    workload="cilium-envoy",
    service=SERVICE,
    http="http",
    https="https",
    ingress_class=INGRESS_CLASS,
    values=values,
    carrier="cilium",
    objects=objects,
    patches=patches,
    minted=CERTIFICATE,
    tls={},
)

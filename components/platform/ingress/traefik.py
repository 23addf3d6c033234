"""Traefik as the ingress controller.

Source: the chart's values.yaml, 41.
"""

from __future__ import annotations

from components.platform import metallb
from components.platform.addon import Site, Values
from components.platform.ingress.controller import Controller
from settings.models import IngressTimeouts

NAME = "traefik"


def values(site: Site) -> Values:
    """Traefik on every node that takes pods, seeing clients' own addresses.

    A request comes from HAProxy to a NodePort, with a PROXY header that only the balancers may
    send; one over HTTPS comes over TLS, since Traefik judges `X-Forwarded-Proto` by the client's
    address after PROXY. `externalTrafficPolicy: Local` keeps it on the node it came to; the
    health-check NodePort tells a balancer whether that node has a Traefik.
    """
    ingress = site.settings.ingress
    ports = ingress.node_ports
    trusted = {"trustedIPs": [f"{address}/32" for address in site.trusted]}
    transport = {"respondingTimeouts": _timeouts(ingress.timeouts)}
    spec: Values = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    if ports.health is not None:
        spec["healthCheckNodePort"] = ports.health
    return {
        "deployment": {"kind": "DaemonSet"},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "ingressClass": {"enabled": True, "isDefaultClass": True, "name": NAME},
        "providers": {
            "kubernetesCRD": {"enabled": False},
            "kubernetesIngress": {"enabled": True, "publishedService": {"enabled": True}},
        },
        "ports": {
            "web": {
                **_node_port(ports.http),
                "transport": transport,
                "proxyProtocol": trusted,
                "forwardedHeaders": trusted,
            },
            "websecure": {
                **_node_port(ports.https),
                "transport": transport,
                "http": {"tls": {"enabled": True}},
                "proxyProtocol": trusted,
                "forwardedHeaders": trusted,
            },
        },
        "service": {
            "annotations": metallb.address_annotations(ingress.load_balancer_ip),
            "spec": spec,
        },
    }


def _timeouts(timeouts: IngressTimeouts) -> Values:
    """Go's durations: `0s` is none, where Traefik's own limit of a minute would end any upload,
    stream or download that lasts longer."""
    read = 0.0 if timeouts.read is None else timeouts.read
    return {"readTimeout": f"{read:g}s", "idleTimeout": f"{timeouts.idle:g}s"}


def _node_port(port: int | None) -> Values:
    return {} if port is None else {"nodePort": port}


TRAEFIK = Controller(
    name=NAME,
    namespace=NAME,
    pod_security="baseline",
    service=NAME,
    http="web",
    https="websecure",
    ingress_class=NAME,
    values=values,
)

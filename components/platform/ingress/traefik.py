"""Traefik as the ingress controller.

Sources: the chart's values.yaml, 41; Traefik's reference of entry points (transport.lifeCycle) and
of access logs (a header field is the member `request_NAME`).
"""

from __future__ import annotations

from components.platform import metallb
from components.platform.addon import Site, Values
from components.platform.ingress import placement
from components.platform.ingress.controller import EACH, AccessLog, Controller, Figures
from components.platform.promql import quantile, rate
from settings.models import ACCEPT_SECONDS, FINISH_SECONDS, Ingress, IngressTimeouts

NAME = "traefik"
DIAL_SECONDS = 1
"""How long an application's pod may take to accept a connection: one in the cluster takes
milliseconds, one on a node that has just died never does."""
AGAIN = "again@file"
ATTEMPTS = 3
REQUEST_ID = "X-Request-Id"
"""The header field in which the balancers tell their id of a request."""


def values(site: Site) -> Values:
    """Traefik on every node that takes pods, or so many of it, seeing clients' own addresses.

    A request comes from HAProxy to a NodePort, with a PROXY header that only the balancers may
    send; one over HTTPS comes over TLS, since Traefik judges `X-Forwarded-Proto` by the client's
    address after PROXY. With `externalTrafficPolicy: Local` it stays on the node it came to.

    A new pod stands beside the old one until it is ready, on the same node where there is one on
    every node; what the old one serves
    goes on to its end. Traefik calls itself ready before it has read its routes, and answers 404
    until then: the first look is later.

    Pods of a node that has died stay endpoints for most of a minute (the node controller's grace).
    A request whose connection to one is not made goes to the next: Traefik tries again only what no
    pod has been sent.
    """
    ingress = site.settings.ingress
    ports = ingress.node_ports
    trusted = {"trustedIPs": [f"{address}/32" for address in site.trusted]}
    transport = {
        "respondingTimeouts": _timeouts(ingress.timeouts),
        "lifeCycle": {
            "requestAcceptGraceTimeout": f"{ACCEPT_SECONDS}s",
            "graceTimeOut": f"{FINISH_SECONDS}s",
        },
    }
    spec: Values = {
        "type": "LoadBalancer",
        "externalTrafficPolicy": ingress.external_traffic_policy,
    }
    health = placement.health_port(ingress)
    if health is not None:
        spec["healthCheckNodePort"] = health
    return {
        "deployment": {
            "kind": placement.kind(ingress),
            "minReadySeconds": placement.READY_SECONDS,
            "terminationGracePeriodSeconds": placement.PATIENCE_SECONDS,
            **_replicas(ingress),
        },
        **_spread(ingress),
        **_logged(site),
        "updateStrategy": placement.rollout(),
        "readinessProbe": {"initialDelaySeconds": 5, **placement.readiness(2)},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "ingressClass": {"enabled": True, "isDefaultClass": True, "name": NAME},
        "providers": {
            "kubernetesCRD": {"enabled": False},
            "kubernetesIngress": {"enabled": True, "publishedService": {"enabled": True}},
            "file": {"enabled": True, "watch": False, "content": _again()},
        },
        "additionalArguments": [
            f"--serversTransport.forwardingTimeouts.dialTimeout={DIAL_SECONDS}s"
        ],
        "ports": {
            "web": {
                **_node_port(ports.http),
                "transport": transport,
                "http": {"middlewares": [AGAIN]},
                "proxyProtocol": trusted,
                "forwardedHeaders": trusted,
            },
            "websecure": {
                **_node_port(ports.https),
                "transport": transport,
                "http": {"tls": {"enabled": True}, "middlewares": [AGAIN]},
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


def _replicas(ingress: Ingress) -> Values:
    return {} if ingress.replicas is None else {"replicas": ingress.replicas}


def _spread(ingress: Ingress) -> Values:
    if ingress.replicas is None:
        return {}
    return {
        "topologySpreadConstraints": placement.spread({"app.kubernetes.io/name": NAME}),
        "podDisruptionBudget": placement.budget(ingress, "enabled"),
    }


def _logged(site: Site) -> Values:
    """A line for each request where the stack has logging: with the balancers' id of it, and with
    no other header field and no query, which may hold secrets."""
    if site.settings.logging is None:
        return {}
    fields = {
        "headers": {"defaultMode": "drop", "names": {REQUEST_ID: "keep"}},
        "queryParameters": {"defaultMode": "drop"},
    }
    return {"accessLog": {"enabled": True, "format": "json", "fields": fields}}


def _again() -> Values:
    retry = {"attempts": ATTEMPTS, "initialInterval": "10ms"}
    return {"http": {"middlewares": {AGAIN.partition("@")[0]: {"retry": retry}}}}


def _node_port(port: int | None) -> Values:
    return {} if port is None else {"nodePort": port}


_CHOSEN = f'{EACH}, entrypoint=~"web|websecure"'
_BUCKETS = f"traefik_entrypoint_request_duration_seconds_bucket{{{_CHOSEN}}}"
FIGURES = Figures(
    container=NAME,
    port="metrics",
    requests={"{{code}}": rate(f"traefik_entrypoint_requests_total{{{_CHOSEN}}}", "code")},
    seconds={
        "half of them": quantile(0.5, _BUCKETS),
        "95 of 100": quantile(0.95, _BUCKETS),
    },
    connections={"{{instance}}": f"sum by (instance) (traefik_open_connections{{{_CHOSEN}}})"},
)
"""On by default in the chart, with the buckets 0.1, 0.3, 1.2 and 5 s."""

TRAEFIK = Controller(
    name=NAME,
    namespace=NAME,
    pod_security="baseline",
    workload=NAME,
    service=NAME,
    http="web",
    https="websecure",
    ingress_class=NAME,
    values=values,
    access_log=AccessLog(container=NAME, request_id=f"request_{REQUEST_ID}"),
    figures=FIGURES,
)

"""Contour, which configures Envoys, as the ingress controller.

Sources: the chart's values.yaml and templates (projectcontour's, 0.7); Contour's configuration
reference, its annotations, and its pages on HTTPProxy, TLS delegation and the shutdown manager,
1.33.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.host.text import milliseconds
from components.platform import metallb
from components.platform.addon import Object, SelfSigned, Site, Values, Webhook
from components.platform.ingress import placement
from components.platform.ingress.controller import EACH, AccessLog, Controller, Figures
from components.platform.promql import quantile, rate
from settings.models import ACCEPT_SECONDS, Ingress

NAME = "contour"
ENVOY = "contour-envoy"
"""As the chart makes it of the release's name: the Envoys, and their Service."""
DIAL_SECONDS = 1
"""How long an application's pod may take to accept a connection, as with Traefik."""
HTTP, HTTPS = 8080, 8443
"""Where an Envoy listens inside its pod."""
CERTIFICATE = SelfSigned(name=f"{NAME}-certificate", host="ingress.invalid")
KINDS = "projectcontour.io/v1"
LIFETIME_DAYS = 3650
"""How long the certificates between Contour and its Envoys last: they are renewed with the
release, and by default end a year after."""

LOGGED: Values = {
    "accesslog-format": "json",
    "json-fields": [
        "@timestamp",
        "request_id",
        "downstream_remote_address",
        "method",
        "authority",
        "path=%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        "protocol",
        "response_code",
        "response_flags",
        "bytes_received",
        "bytes_sent",
        "duration",
        "upstream_host",
    ],
}
"""A line for each request: with the balancers' id of it, which Contour's Envoys keep, and with no
other header field and no query, which may hold secrets."""


def values(site: Site) -> Values:
    """Envoys on every node that takes pods, or so many of them, seeing clients' own addresses; two
    Contours on different nodes, without which Envoys go on as they were last told.

    An Envoy demands a PROXY header of whoever connects and believes it (`--use-proxy-protocol`), so
    that a NetworkPolicy lets nobody connect but the balancers.

    It speaks TLS only for hosts that it knows. For any other, and for checks that name none, there
    is a fallback certificate (`objects`).
    """
    ingress = site.settings.ingress
    read = ingress.timeouts.read
    ports = {"http": ingress.node_ports.http, "https": ingress.node_ports.https}
    logged = {} if site.settings.logging is None else LOGGED
    balancers = [{"ipBlock": {"cidr": f"{address}/32"}} for address in site.trusted]
    return {
        "configInline": {
            "tls": {"fallback-certificate": {"name": CERTIFICATE.name, "namespace": NAME}},
            "timeouts": {
                "request-timeout": "infinity" if read is None else milliseconds(read),
                "connection-idle-timeout": milliseconds(ingress.timeouts.idle),
                "stream-idle-timeout": "infinity",
                "connect-timeout": f"{DIAL_SECONDS}s",
            },
            **logged,
        },
        "contour": {
            "replicaCount": min(2, site.node_count),
            "extraArgs": ["--use-proxy-protocol"],
            "ingressClass": {"name": NAME, "create": True, "default": True},
            "certgen": {"certificateLifetime": LIFETIME_DAYS},
            **_resources("100m", "256Mi"),
        },
        "envoy": {
            "kind": placement.kind(ingress).lower(),
            **_replicas(ingress),
            "minReadySeconds": placement.READY_SECONDS,
            "terminationGracePeriodSeconds": placement.PATIENCE_SECONDS,
            "updateStrategy": placement.rollout(),
            "readinessProbe": placement.readiness(5),
            "lifecycleHooks": {"preStop": {"exec": {"command": _shutdown()}}},
            **_resources("200m", "256Mi"),
            "containerPorts": {"http": HTTP, "https": HTTPS},
            "networkPolicy": {
                "enabled": True,
                "allowExternal": False,
                "extraIngress": [
                    {"ports": [{"port": HTTP}, {"port": HTTPS}], "from": balancers},
                ],
            },
            "service": {
                "type": "LoadBalancer",
                "externalTrafficPolicy": ingress.external_traffic_policy,
                "annotations": metallb.address_annotations(ingress.load_balancer_ip),
                "nodePorts": {name: port for name, port in ports.items() if port is not None},
            },
        },
    }


def objects(_: Site) -> Mapping[str, Object]:
    """A host that is nobody's, with the fallback certificate that it brings for all others, and
    leave for every namespace's Ingress to use that certificate."""
    proxy = {
        "virtualhost": {
            "fqdn": CERTIFICATE.host,
            "tls": {"secretName": CERTIFICATE.name, "enableFallbackCertificate": True},
        },
        "ingressClassName": NAME,
        "routes": [
            {
                "conditions": [{"prefix": "/"}],
                "permitInsecure": True,
                "directResponsePolicy": {"statusCode": 404},
            }
        ],
    }
    delegation = {"delegations": [{"secretName": CERTIFICATE.name, "targetNamespaces": ["*"]}]}
    return {
        f"{NAME}-fallback": _object("HTTPProxy", "fallback", proxy),
        f"{NAME}-delegation": _object("TLSCertificateDelegation", CERTIFICATE.name, delegation),
    }


def _object(kind: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": KINDS,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAME},
        "spec": spec,
    }


def _shutdown() -> list[str]:
    """Envoy takes connections for a while, then says that it closes them, and is awaited."""
    return ["contour", "envoy", "shutdown", f"--drain-delay={ACCEPT_SECONDS}s"]


def _resources(cpu: str, memory: str) -> Values:
    """Requests, and no limits: the chart's preset holds a pod to a seventh of a core."""
    return {
        "resourcesPreset": "none",
        "resources": {"requests": {"cpu": cpu, "memory": memory}},
    }


def _replicas(ingress: Ingress) -> Values:
    if ingress.replicas is None:
        return {}
    labels = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": "envoy"}
    return {
        "replicaCount": ingress.replicas,
        "topologySpreadConstraints": placement.spread(labels),
        "pdb": placement.budget(ingress, "create"),
    }


_CHOSEN = f'{EACH}, envoy_http_conn_manager_prefix=~"ingress_https?"'
_BUCKETS = f"envoy_http_downstream_rq_time_bucket{{{_CHOSEN}}}"
FIGURES = Figures(
    container="envoy",
    port="metrics",
    path="/stats/prometheus",
    requests={
        "{{envoy_response_code_class}}xx": rate(
            f"envoy_http_downstream_rq_xx{{{_CHOSEN}}}", "envoy_response_code_class"
        )
    },
    seconds={
        "half of them": f"{quantile(0.5, _BUCKETS)} / 1000",
        "95 of 100": f"{quantile(0.95, _BUCKETS)} / 1000",
    },
    connections={
        "{{instance}}": f"sum by (instance) (envoy_http_downstream_cx_active{{{_CHOSEN}}})"
    },
)
"""Envoy's own, of Contour's two listeners; its times are in milliseconds."""

CONTOUR = Controller(
    name=NAME,
    namespace=NAME,
    pod_security="restricted",
    workload=ENVOY,
    service=ENVOY,
    http="http",
    https="https",
    ingress_class=NAME,
    values=values,
    objects=objects,
    webhook=Webhook(
        refusal="the cluster does not take Contour's fallback certificate",
        logs=f"kubectl -n {NAME} logs deploy/{NAME}-contour",
    ),
    minted=CERTIFICATE,
    annotations={
        "projectcontour.io/response-timeout": "infinity",
        "projectcontour.io/retry-on": "connect-failure",
        "projectcontour.io/num-retries": "2",
    },
    tls={"secretName": CERTIFICATE.name},
    tls_annotations={"projectcontour.io/tls-cert-namespace": NAME},
    access_log=AccessLog(container="envoy", request_id="request_id"),
    figures=FIGURES,
)

"""HAProxy Technologies' Kubernetes Ingress Controller as the ingress controller.

Sources: the chart's values.yaml and templates, 1.52; the controller's documentation of its
ConfigMap (annotations.md) and arguments (controller.md), 3.2; HAProxy's configuration manual, 3.2;
s6-svc(8) and s6-svwait(8), by which its image runs HAProxy.
"""

from __future__ import annotations

from components.host.text import json_object, milliseconds
from components.platform import metallb
from components.platform.addon import SelfSigned, Site, Values
from components.platform.ingress import placement
from components.platform.ingress.controller import EACH, AccessLog, Controller, Figures
from components.platform.promql import rate
from settings.models import ACCEPT_SECONDS, FINISH_SECONDS, Ingress

NAME = "haproxy"
SERVICE = "haproxy-kubernetes-ingress"
"""As the chart makes it of the release's name."""
DIAL_SECONDS = 1
"""How long an application's pod may take to accept a connection, as with Traefik."""
NEVER = "24h"
"""As long as any timeout of the chain may be."""
BUFFER = 256 * 1024
"""Bytes: a request's line and header fields stand in one (tune.bufsize)."""
CERTIFICATE = SelfSigned(name=f"{NAME}-certificate", host="ingress.invalid")
CHOSEN = {"request_id": ("req.hdr(x-request-id)", 64), "path": ("path", 2048)}
"""What a client may have chosen of a logged line: where it is found, and how many bytes of it."""
QUIET = "http-request set-log-level silent if METH_OPTIONS !{ req.hdr(x-request-id) -m found }"
"""The balancers' checks, which have no id, would fill the log."""
LONGEST = 8192
"""Bytes of a logged line: JSON makes six of one byte at most, and a path's are printable."""
LEAVE = (
    f"sleep {ACCEPT_SECONDS}; "
    "/command/s6-svc -O -1 /run/service/haproxy; "
    f"/command/s6-svwait -d -t {FINISH_SECONDS * 1000} /run/service/haproxy"
)
"""Before a pod is stopped. SIGTERM would have HAProxy drop what it has: SIGUSR1 has it finish, and
`-O` keeps it from being started again."""


def values(site: Site) -> Values:
    """HAProxy on every node that takes pods, or so many of it, seeing clients' own addresses.

    From the balancers' addresses, and from no others, a PROXY header is expected before anything
    else (`expect-proxy layer4`). Any host is served on both listeners, over TLS with the
    certificate of the Ingress or with one of its own.

    A connection to a pod that is not made goes to another one. Timeouts and sizes are the
    balancers' business. The Service carries HTTP and HTTPS and nothing else: by default the chart
    puts HAProxy's statistics and the controller's debugging on every node's ports, too.
    """
    ingress = site.settings.ingress
    read = NEVER if ingress.timeouts.read is None else milliseconds(ingress.timeouts.read)
    health = placement.health_port(ingress)
    ports = {"http": ingress.node_ports.http, "https": ingress.node_ports.https}
    return {
        "controller": {
            "kind": placement.kind(ingress),
            **_replicas(ingress),
            "minReadySeconds": placement.READY_SECONDS,
            "terminationGracePeriodSeconds": placement.PATIENCE_SECONDS,
            "strategy": placement.rollout(),
            "readinessProbe": placement.readiness(10),
            "lifecycle": {"preStop": {"exec": {"command": ["/bin/sh", "-c", LEAVE]}}},
            "pprof": {"enabled": False},
            "ingressClass": NAME,
            "ingressClassResource": {"name": NAME, "default": True},
            "defaultTLSSecret": {
                "enabled": True,
                "secretNamespace": NAME,
                "secret": CERTIFICATE.name,
            },
            "service": {
                "enabled": True,
                "type": "LoadBalancer",
                "externalTrafficPolicy": ingress.external_traffic_policy,
                "annotations": metallb.address_annotations(ingress.load_balancer_ip),
                "nodePorts": {name: port for name, port in ports.items() if port is not None},
                "enablePorts": {
                    "http": True,
                    "https": True,
                    "quic": False,
                    "stat": False,
                    "admin": False,
                },
                **({} if health is None else {"healthCheckNodePort": health}),
            },
            "config": {
                "proxy-protocol": ",".join(str(address) for address in site.trusted),
                "ssl-redirect": "false",
                "timeout-http-keep-alive": milliseconds(ingress.timeouts.idle),
                "timeout-http-request": read,
                "timeout-client": NEVER,
                "timeout-connect": f"{DIAL_SECONDS}s",
                "timeout-server": NEVER,
                "timeout-tunnel": NEVER,
                "global-config-snippet": f"tune.bufsize {BUFFER}\ntune.http.maxhdr 1000",
                "backend-config-snippet": "option redispatch 1\nretries 2",
                **_logged(site),
            },
        }
    }


def _logged(site: Site) -> Values:
    """A line for each request where the stack has logging: with the balancers' id of it, and with
    no other header field and no query, which may hold secrets."""
    if site.settings.logging is None:
        return {}
    said = {
        "time": '"%[date,utime(%Y-%m-%dT%H:%M:%S)]Z"',
        **{name: f'"%[var(txn.log_{name}),json(utf8s)]"' for name in CHOSEN},
        "client": '"%ci"',
        "method": '"%HM"',
        "status": "%ST",
        "bytes": "%B",
        "termination": '"%tsc"',
        "backend": '"%b"',
        "server": '"%s"',
        "milliseconds": "%Ta",
    }
    kept = (
        f"http-request set-var(txn.log_{name}) {fetch},bytes(0,{most})"
        for name, (fetch, most) in CHOSEN.items()
    )
    return {
        "syslog-server": f"address:stdout, format: raw, facility:daemon, length: {LONGEST}",
        "log-format": json_object(said),
        "frontend-config-snippet": "\n".join([*kept, QUIET]),
    }


def _replicas(ingress: Ingress) -> Values:
    if ingress.replicas is None:
        return {}
    labels = {"app.kubernetes.io/name": "kubernetes-ingress"}
    return {
        "replicaCount": ingress.replicas,
        "topologySpreadConstraints": placement.spread(labels),
        "PodDisruptionBudget": placement.budget(ingress, "enable"),
    }


_CHOSEN = f'{EACH}, proxy=~"https?"'
FIGURES = Figures(
    container="kubernetes-ingress-controller",
    port="stat",
    requests={"{{code}}": rate(f"haproxy_frontend_http_responses_total{{{_CHOSEN}}}", "code")},
    seconds={
        "{{proxy}}, mean of 1024": "topk(5, max by (proxy) "
        f"(haproxy_backend_total_time_average_seconds{{{EACH}}}))"
    },
    connections={
        "{{instance}}": f"sum by (instance) (haproxy_frontend_current_sessions{{{_CHOSEN}}})"
    },
)
"""On by default in the chart, at HAProxy's statistics' port."""

HAPROXY = Controller(
    name=NAME,
    namespace=NAME,
    pod_security="restricted",
    workload=SERVICE,
    service=SERVICE,
    http="http",
    https="https",
    ingress_class=NAME,
    values=values,
    minted=CERTIFICATE,
    access_log=AccessLog(container="kubernetes-ingress-controller", request_id="request_id"),
    figures=FIGURES,
)

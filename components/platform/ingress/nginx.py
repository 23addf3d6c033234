"""F5's NGINX Ingress Controller as the ingress controller.

Not the community's ingress-nginx, which is retired: this one reads other annotations (`nginx.org/`)
and other values.

Sources: the chart's values.yaml and templates, 2.6; the controller's reference of ConfigMap keys
and of command-line arguments, and its page on host collisions (docs.nginx.com); nginx.org's
directives (ngx_http_core_module, ngx_http_realip_module, ngx_http_proxy_module); cert-manager's
page on Ingress annotations.
"""

from __future__ import annotations

from components.host.text import json_object, milliseconds
from components.platform import metallb
from components.platform.addon import SelfSigned, Site, Values
from components.platform.ingress import placement
from components.platform.ingress.controller import EACH, AccessLog, Controller, Figures
from components.platform.promql import rate
from settings.models import ACCEPT_SECONDS, Ingress

NAME = "nginx-ingress"
CLASS = "nginx"
DIAL_SECONDS = 1
"""How long an application's pod may take to accept a connection, as with Traefik."""
NEVER = "86400s"
"""As long as any timeout of the chain may be: NGINX has no word for none."""
CERTIFICATE = SelfSigned(name=f"{NAME}-certificate", host="ingress.invalid")


def values(site: Site) -> Values:
    """NGINX on every node that takes pods, or so many of it, seeing clients' own addresses.

    Both listeners demand a PROXY header of whoever connects; the address in it is believed of the
    balancers alone (`set-real-ip-from`), and of others their own is taken.

    Over TLS it serves a host only where the Ingress has `tls`, with the Secret named there or,
    where none is, with the wildcard certificate; hosts that it does not know get the same one and
    a 404.

    A pod that is told to leave goes on taking connections for a while, since NGINX itself stops at
    once (`nginx -s quit`) and then ends what it has.

    Timeouts and sizes are the balancers' business: NGINX's own (a minute for an answer, 1 MiB for
    a body, a URL of 8 KiB) would refuse what they pass on. Answers are not held back in buffers,
    which would stop streams.
    """
    ingress = site.settings.ingress
    read = NEVER if ingress.timeouts.read is None else milliseconds(ingress.timeouts.read)
    secret = f"{NAME}/{CERTIFICATE.name}"
    return {
        "controller": {
            "kind": placement.kind(ingress).lower(),
            **_replicas(ingress),
            "minReadySeconds": placement.READY_SECONDS,
            "terminationGracePeriodSeconds": placement.PATIENCE_SECONDS,
            "strategy": placement.rollout(),
            "lifecycle": {"preStop": {"sleep": {"seconds": ACCEPT_SECONDS}}},
            "telemetryReporting": {"enable": False},
            "enableCustomResources": False,
            "ingressClass": {"create": True, "name": CLASS, "setAsDefaultIngress": True},
            "defaultTLS": {"secret": secret},
            "wildcardTLS": {"secret": secret},
            "service": {
                "create": True,
                "type": "LoadBalancer",
                "externalTrafficPolicy": ingress.external_traffic_policy,
                "annotations": metallb.address_annotations(ingress.load_balancer_ip),
                "httpPort": _port("http", ingress.node_ports.http),
                "httpsPort": _port("https", ingress.node_ports.https),
            },
            "config": {
                "entries": {
                    "proxy-protocol": "True",
                    "real-ip-header": "proxy_protocol",
                    "set-real-ip-from": ",".join(f"{address}/32" for address in site.trusted),
                    "ssl-redirect": "False",
                    "http2": "True",
                    "keepalive-timeout": milliseconds(ingress.timeouts.idle),
                    "proxy-connect-timeout": f"{DIAL_SECONDS}s",
                    "proxy-read-timeout": NEVER,
                    "proxy-send-timeout": NEVER,
                    "proxy-buffering": "False",
                    "proxy-buffer-size": "32k",
                    "proxy-buffers": "8 32k",
                    "client-max-body-size": "0",
                    "worker-connections": "16384",
                    "server-tokens": "False",
                    # The balancers' checks are for no host, and would fill the log.
                    "default-server-access-log-off": "True",
                    **_logged(site),
                    "http-snippets": _http(read),
                }
            },
        }
    }


def _http(read: str) -> str:
    """Directives for which the ConfigMap has no key. Each line of a request stands in one of the
    buffers: 1 MiB in all, as Traefik takes."""
    return "\n".join(
        (
            f"client_header_timeout {read};",
            f"client_body_timeout {read};",
            f"send_timeout {NEVER};",
            "large_client_header_buffers 8 128k;",
            "proxy_request_buffering off;",
        )
    )


def _logged(site: Site) -> Values:
    """A line for each request where the stack has logging: with the balancers' id of it, and with
    no other header field and no query, which may hold secrets."""
    if site.settings.logging is None:
        return {}
    said = {
        "time": '"$time_iso8601"',
        "request_id": '"$http_x_request_id"',
        "client": '"$remote_addr"',
        "method": '"$request_method"',
        "host": '"$host"',
        "path": '"$uri"',
        "protocol": '"$server_protocol"',
        "status": "$status",
        "bytes": "$body_bytes_sent",
        "seconds": "$request_time",
        "upstream": '"$upstream_addr"',
        "upstream_status": '"$upstream_status"',
    }
    return {"log-format-escaping": "json", "log-format": json_object(said)}


def _replicas(ingress: Ingress) -> Values:
    if ingress.replicas is None:
        return {}
    return {
        "replicaCount": ingress.replicas,
        "topologySpreadConstraints": placement.spread({"app.kubernetes.io/name": NAME}),
        "podDisruptionBudget": placement.budget(ingress, "enabled"),
    }


def _port(name: str, node_port: int | None) -> Values:
    decided: Values = {} if node_port is None else {"nodePort": node_port}
    return {"enable": True, "name": name, **decided}


FIGURES = Figures(
    container=NAME,
    port="prometheus",
    requests={
        "{{instance}}": rate(f"nginx_ingress_nginx_http_requests_total{{{EACH}}}", "instance")
    },
    connections={
        "{{instance}}": f"sum by (instance) (nginx_ingress_nginx_connections_active{{{EACH}}})"
    },
)
"""On by default in the chart. NGINX itself (not Plus) counts neither answers by their status nor
times."""

NGINX = Controller(
    name=NAME,
    namespace=NAME,
    pod_security="restricted",
    workload=f"{NAME}-controller",
    service=f"{NAME}-controller",
    http="http",
    https="https",
    ingress_class=CLASS,
    values=values,
    minted=CERTIFICATE,
    # Of two Ingresses with one host it serves the older alone, and cert-manager makes another for
    # its answers unless it is told to write them into this one.
    annotations={"acme.cert-manager.io/http01-edit-in-place": "true"},
    tls={},
    access_log=AccessLog(container=NAME, request_id="request_id"),
    figures=FIGURES,
)

"""The values of F5's nginx-ingress chart: what a stack may not undo of them, which keys it has, and
how its pods leave.

Sources: the chart's values.yaml and values.schema.json, 2.6 and 2.7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, on, only
from settings.checks.platform_ingress_rules import (
    IngressRules,
    Leaving,
    placed,
    traffic_policy,
)
from settings.models.platform import ACCEPT_SECONDS, FINISH_SECONDS, Ingress
from settings.models.walk import mapping

_CLASS = "is not the class that Ingress objects here name"
_TRUSTED = "says who names clients' addresses, which are the balancers alone"
_SERVICE = "is not the kind of service the balancers and the pool need"
_BY_ADDRESS = "is said by platform.ingress.load_balancer_ip"
_ENTRIES = ("controller", "config", "entries")
_HTTP: Final = (
    "client_header_timeout",
    "client_body_timeout",
    "send_timeout",
    "large_client_header_buffers",
    "proxy_request_buffering",
)
"""Directives of the program's own http-snippets."""
_LISTENING: Final = re.compile(r"real_ip|\blisten\b")
"""Directives that say on what NGINX listens and who is believed."""


def _harmless(given: Any) -> bool:
    return not _LISTENING.search(str(given))


def _whole(given: Any) -> bool:
    return all(re.search(rf"\b{name}\b", str(given)) for name in _HTTP) and _harmless(given)


def _long(seconds: int) -> Callable[[Any], bool]:
    """A preStop that lets every node hear of it."""

    def enough(given: Any) -> bool:
        sleeps = mapping({"preStop": given}, "preStop", "sleep").get("seconds")
        return given is not None and type(sleeps) is int and sleeps >= seconds

    return enough


def decided(ingress: Ingress) -> tuple[Decided, ...]:
    """What the program decides of the chart's values."""
    ports = ingress.node_ports
    table = [
        traffic_policy(ingress, "controller", "service", "externalTrafficPolicy"),
        *placed(
            ingress,
            kind=("controller", "kind"),
            words=("daemonset", "deployment"),
            replicas=("controller", "replicaCount"),
        ),
        Decided(keys=("controller", "service", "type"), why=_SERVICE, allowed=only("LoadBalancer")),
        Decided(
            keys=("controller", "service", "create"), why="leaves nothing to send to", allowed=on
        ),
        Decided(
            keys=("controller", "service", "allocateLoadBalancerNodePorts"),
            why="leaves the balancers no NodePort",
            allowed=on,
        ),
        Decided(
            keys=("controller", "service", "loadBalancerIP"),
            why=_BY_ADDRESS,
            allowed=only("", None),
        ),
        Decided(
            keys=("controller", "service", "loadBalancerClass"), why="makes MetalLB pass it over"
        ),
        Decided(
            keys=("controller", "service", "annotations", "metallb.io/loadBalancerIPs"),
            why=_BY_ADDRESS,
        ),
        Decided(
            keys=("controller", "service", "annotations", "metallb.universe.tf/loadBalancerIPs"),
            why=_BY_ADDRESS,
        ),
        Decided(keys=("controller", "name"), why="renames the Service that the program reads"),
        Decided(keys=("fullnameOverride",), why="renames the Service that the program reads"),
        Decided(keys=("nameOverride",), why="renames the Service that the program reads"),
        Decided(keys=("serviceNameOverride",), why="renames the Service that the program reads"),
        Decided(
            keys=("controller", "ingressClass", "create"),
            why="leaves Ingress objects without a class",
            allowed=on,
        ),
        Decided(keys=("controller", "ingressClass", "name"), why=_CLASS, allowed=only("nginx")),
        Decided(
            keys=("controller", "reportIngressStatus", "enable"),
            why="has the update wait in vain until an Ingress has an address",
            allowed=on,
        ),
        Decided(
            keys=("controller", "customConfigMap"),
            why="takes the place of all that the program configures",
            allowed=only("", None),
        ),
        Decided(
            keys=("controller", "lifecycle", "preStop"),
            why="stops a pod before every node has heard that it leaves",
            allowed=_long(ACCEPT_SECONDS),
            right=f"remove it, or write sleep with seconds of {ACCEPT_SECONDS} or more",
        ),
        Decided(
            keys=(*_ENTRIES, "proxy-protocol"),
            why="has NGINX take the balancers' PROXY headers for requests",
            allowed=only("True", "true", True),
        ),
        Decided(keys=(*_ENTRIES, "real-ip-header"), why=_TRUSTED, allowed=only("proxy_protocol")),
        Decided(keys=(*_ENTRIES, "set-real-ip-from"), why=_TRUSTED),
        Decided(
            keys=(*_ENTRIES, "ssl-redirect"),
            why="redirects what the balancers serve over HTTP: say it in "
            "balancers.redirect_to_https",
            allowed=only("False", "false", False),
        ),
        Decided(
            keys=(*_ENTRIES, "keepalive-timeout"), why="is said by platform.ingress.timeouts.idle"
        ),
        Decided(
            keys=(*_ENTRIES, "http-snippets"),
            why="takes the place of the program's own lines, which it must have too",
            allowed=_whole,
            right=f"use server-snippets, or add {', '.join(_HTTP)}; nothing of listen or real_ip",
        ),
        *(
            Decided(
                keys=(*_ENTRIES, key),
                why="takes the place of the configuration that the program is sure of",
            )
            for key in ("main-template", "ingress-template")
        ),
        *(
            Decided(keys=(*_ENTRIES, key), why=_TRUSTED, allowed=_harmless)
            for key in ("main-snippets", "server-snippets", "location-snippets")
        ),
    ]
    for key, port in (("http", ports.http), ("https", ports.https)):
        here, said = ("controller", "service", f"{key}Port"), f"platform.ingress.node_ports.{key}"
        table += [
            Decided(
                keys=(*here, "nodePort"),
                why=f"is not {said} ({'null' if port is None else port})",
                allowed=only(port),
                right=f"say it in {said} alone",
            ),
            Decided(keys=(*here, "enable"), why="takes the port out of the service", allowed=on),
            Decided(
                keys=(*here, "name"),
                why="renames the port that the program reads",
                allowed=only(key),
            ),
        ]
    return tuple(table)


def promised(_: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What a pod that leaves gives to those it serves, in seconds: NGINX itself has no limit, so
    that its pod's patience is the only one."""
    yield "NGINX", ACCEPT_SECONDS + FINISH_SECONDS


_KEYS: Final = {
    "": "controller rbac prometheus serviceInsight nginxAgent nginxServiceMesh global "
    "nameOverride fullnameOverride serviceNameOverride",
    "controller": "affinity allowEmptyIngressHost annotations appprotect appprotectdos autoscaling "
    "config containerPort customConfigMap customPorts debug defaultHTTPListenerPort "
    "defaultHTTPSListenerPort defaultTLS directiveAutoAdjust disableIPV6 dnsPolicy "
    "enableCertManager enableConfigSafety enableCustomResources enableExternalDNS "
    "enableLatencyMetrics enableOIDC enableSSLDynamicReload enableSnippets enableTLSPassthrough "
    "enableWeightChangesDynamicReload env extraContainers globalConfiguration healthStatus "
    "healthStatusURI hostNetwork hostPort image ingressClass initContainerResources "
    "initContainerSecurityContext initContainers kind lifecycle logFormat logLevel mgmt "
    "minReadySeconds name networkPolicy nginxDebug nginxReloadTimeout nginxStatus nginxplus "
    "nodeSelector pod podDisruptionBudget podSecurityContext priorityClassName "
    "readOnlyRootFilesystem readyStatus replicaCount reportIngressStatus resources securityContext "
    "selectorLabels service serviceAccount shareProcessNamespace startupStatus statefulset "
    "strategy telemetryReporting terminationGracePeriodSeconds tlsPassthroughPort tolerations "
    "topologySpreadConstraints volumeMounts volumes watchNamespace watchNamespaceLabel "
    "watchSecretNamespace wildcardTLS",
    "controller.config": "annotations entries name",
    "controller.defaultTLS": "cert key secret",
    "controller.ingressClass": "create name setAsDefaultIngress",
    "controller.podDisruptionBudget": "annotations enabled maxUnavailable minAvailable",
    "controller.service": "allocateLoadBalancerNodePorts annotations clusterIP create customPorts "
    "externalIPs externalTrafficPolicy extraLabels httpPort httpsPort ipFamilies ipFamilyPolicy "
    "loadBalancerClass loadBalancerIP loadBalancerSourceRanges sessionAffinity type",
    "controller.service.httpPort": "enable name nodePort port targetPort",
    "controller.service.httpsPort": "enable name nodePort port targetPort",
    "controller.wildcardTLS": "cert key secret",
}

NGINX: Final = IngressRules(
    chart="nginx-ingress",
    keys=_KEYS,
    decided=decided,
    arguments=None,
    health=False,
    one_ingress_a_host=True,
    tells_requests=True,
    leaving=Leaving(
        strategy=("controller", "strategy"),
        patience=("controller", "terminationGracePeriodSeconds"),
        promised=promised,
        default=ACCEPT_SECONDS + FINISH_SECONDS + 10,
    ),
)

"""The values of HAProxy Technologies' kubernetes-ingress chart: what a stack may not undo of them,
which keys it has, and how its pods leave.

Sources: the chart's values.yaml, 1.52; the controller's documentation, 3.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, off, on, only
from settings.checks.platform_ingress_rules import (
    Arguments,
    IngressRules,
    Leaving,
    placed,
    traffic_policy,
)
from settings.models.platform import ACCEPT_SECONDS, FINISH_SECONDS, Ingress

_TRUSTED = "says who names clients' addresses, which are the balancers alone"
_SERVICE = "is not the kind of service the balancers and the pool need"
_BY_ADDRESS = "is said by platform.ingress.load_balancer_ip"
_CLASS = "is not the class that Ingress objects here name"
_RENAMES = "renames the Service that the program reads"
_PLACE = "takes the place of what the program configures"
_CONFIG = ("controller", "config")
_REQUEST: Final = 232
"""KiB of a request in the program's tune.bufsize of 256, beside what HAProxy adds and notes of each
header field."""
_ON_THE_SERVICE = ("controller", "service")
_WHOLE: Final = {
    "global-config-snippet": ("tune.bufsize", "tune.http.maxhdr"),
    "backend-config-snippet": ("redispatch", "retries"),
}
"""Directives of the program's own snippets."""


def _holding(words: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda given: all(word in str(given) for word in words)


def decided(ingress: Ingress) -> tuple[Decided, ...]:
    """What the program decides of the chart's values."""
    ports = ingress.node_ports
    table = [
        traffic_policy(ingress, *_ON_THE_SERVICE, "externalTrafficPolicy"),
        *placed(
            ingress,
            kind=("controller", "kind"),
            words=("DaemonSet", "Deployment"),
            replicas=("controller", "replicaCount"),
        ),
        Decided(keys=(*_ON_THE_SERVICE, "type"), why=_SERVICE, allowed=only("LoadBalancer")),
        Decided(keys=(*_ON_THE_SERVICE, "enabled"), why="leaves nothing to send to", allowed=on),
        Decided(keys=(*_ON_THE_SERVICE, "loadBalancerIP"), why=_BY_ADDRESS, allowed=only("", None)),
        Decided(
            keys=(*_ON_THE_SERVICE, "loadBalancerClass"),
            why="makes MetalLB pass it over",
            allowed=only(None),
        ),
        *(
            Decided(keys=(*_ON_THE_SERVICE, "annotations", key), why=_BY_ADDRESS)
            for key in ("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs")
        ),
        Decided(
            keys=(*_ON_THE_SERVICE, "healthCheckNodePort"),
            why=f"is not platform.ingress.node_ports.health ({ports.health})",
            allowed=only(ports.health),
            right="say it there alone",
        ),
        *(
            Decided(
                keys=(*_ON_THE_SERVICE, "enablePorts", name),
                why="opens the controller's inside on every node's ports",
                allowed=off,
                right="remove it; metrics have a Service of their own (controller.service.metrics)",
            )
            for name in ("stat", "admin")
        ),
        Decided(
            keys=(*_ON_THE_SERVICE, "enablePorts", "quic"),
            why="opens a port that the balancers do not send to, without PROXY headers",
            allowed=off,
        ),
        *(Decided(keys=(key,), why=_RENAMES) for key in ("fullnameOverride", "nameOverride")),
        Decided(keys=("namespaceOverride",), why="is not where the program looks for it"),
        Decided(keys=("controller", "ingressClass"), why=_CLASS, allowed=only("haproxy")),
        Decided(
            keys=("controller", "ingressClassResource", "name"),
            why=_CLASS,
            allowed=only("haproxy"),
        ),
        Decided(
            keys=("controller", "publishService", "enabled"),
            why="has the update wait in vain until an Ingress has an address",
            allowed=on,
        ),
        Decided(
            keys=("controller", "lifecycle", "preStop"),
            why="takes the place of the program's own, without which HAProxy drops what it serves",
        ),
        Decided(
            keys=("controller", "defaultTLSSecret", "enabled"),
            why="leaves hosts without a certificate of their own without HTTPS",
            allowed=on,
        ),
        Decided(keys=(*_CONFIG, "proxy-protocol"), why=_TRUSTED),
        Decided(keys=(*_CONFIG, "src-ip-header"), why=_TRUSTED),
        Decided(
            keys=(*_CONFIG, "ssl-redirect"),
            why="redirects what the balancers serve over HTTP: say it in "
            "balancers.redirect_to_https",
            allowed=only("false", False),
        ),
        Decided(
            keys=(*_CONFIG, "timeout-http-keep-alive"),
            why="is said by platform.ingress.timeouts.idle",
        ),
        Decided(
            keys=(*_CONFIG, "timeout-http-request"), why="is said by platform.ingress.timeouts.read"
        ),
        *(Decided(keys=(*_CONFIG, key), why=_PLACE) for key in ("cr-global", "cr-defaults")),
        *(
            Decided(
                keys=(*_CONFIG, key),
                why="takes the place of the program's own lines, which it must have too",
                allowed=_holding(words),
                right=f"add {' and '.join(words)} as docs/platform.md has them",
            )
            for key, words in _WHOLE.items()
        ),
        Decided(
            keys=(*_CONFIG, "frontend-config-snippet"),
            why=_TRUSTED,
            allowed=lambda given: not re.search(r"-proxy\b|set-src\b|\bbind\b", str(given)),
        ),
    ]
    for key, port in (("http", ports.http), ("https", ports.https)):
        said = f"platform.ingress.node_ports.{key}"
        table += [
            Decided(
                keys=(*_ON_THE_SERVICE, "nodePorts", key),
                why=f"is not {said} ({'null' if port is None else port})",
                allowed=only(port),
                right=f"say it in {said} alone",
            ),
            Decided(
                keys=(*_ON_THE_SERVICE, "enablePorts", key),
                why="takes the port out of the service",
                allowed=on,
            ),
        ]
    return tuple(table)


_ARGUMENT = re.compile(
    r"--(configmap|ingress\.class|default-ssl-certificate|disable-https?|disable-ipv4"
    r"|https?-bind-port|ipv4-bind-address|disable-config-snippets|external)(=|$)"
)


def promised(_: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What a pod that leaves gives to those it serves, in seconds: what its preStop waits for."""
    yield "HAProxy", ACCEPT_SECONDS + FINISH_SECONDS


_KEYS: Final = {
    "": "aws controller crdjob fullnameOverride global nameOverride namespace namespaceOverride "
    "podSecurityPolicy rbac serviceAccount",
    "controller": "PodDisruptionBudget affinity allowPrivilegeEscalation allowPrivilegedPorts "
    "annotations autoscaling auxiliaryConfig config configAnnotations containerPort daemonset "
    "defaultTLSSecret deployment dnsConfig dnsPolicy enableRuntimeDefaultSeccompProfile "
    "enableServiceLinks existingImagePullSecret extraArgs extraContainers extraEnvFrom extraEnvs "
    "extraLabels extraVolumeMounts extraVolumes image imageCredentials ingressClass "
    "ingressClassResource initContainers keda kind kubernetesGateway lifecycle livenessProbe "
    "logging minReadySeconds name nodeSelector podAnnotations podLabels podMonitor pprof "
    "priorityClassName prometheus publishService quic readinessProbe replicaCount resources "
    "runtimeClassName service serviceMonitor startupProbe strategy sync sysctls "
    "terminationGracePeriodSeconds tolerations topologySpreadConstraints unprivileged",
    "controller.PodDisruptionBudget": "enable maxUnavailable minAvailable",
    "controller.defaultTLSSecret": "enabled secret secretNamespace",
    "controller.ingressClassResource": "default name parameters",
    "controller.service": "annotations clusterIP enablePorts enabled externalIPs "
    "externalTrafficPolicy healthCheckNodePort ipFamilies ipFamilyPolicy labels loadBalancerClass "
    "loadBalancerIP loadBalancerSourceRanges metrics nodePorts ports sessionAffinity targetPorts "
    "tcpPorts trafficDistribution type",
    "controller.service.enablePorts": "admin http https quic stat",
    "controller.service.nodePorts": "admin http https stat",
}

HAPROXY: Final = IngressRules(
    chart="kubernetes-ingress",
    keys=_KEYS,
    decided=decided,
    arguments=Arguments(keys=("controller.extraArgs",), decided=_ARGUMENT),
    request=_REQUEST,
    tells_requests=True,
    leaving=Leaving(
        strategy=("controller", "strategy"),
        patience=("controller", "terminationGracePeriodSeconds"),
        promised=promised,
        default=ACCEPT_SECONDS + FINISH_SECONDS + 10,
        probe=("controller", "readinessProbe"),
        every=10,
    ),
)

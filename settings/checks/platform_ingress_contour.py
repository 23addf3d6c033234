"""The values of Contour's chart: what a stack may not undo of them, which keys it has, and how its
Envoys leave.

Sources: the chart's values.yaml and templates (projectcontour's, 0.7); Contour's configuration
reference, 1.33; Envoy's HTTP connection manager (max_request_headers_kb).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, off, on, only
from settings.checks.platform_ingress_rules import (
    IngressRules,
    Leaving,
    placed,
    traffic_policy,
)
from settings.models.platform import ACCEPT_SECONDS, FINISH_SECONDS, Ingress

_TRUSTED = "says who may send PROXY headers, which are the balancers alone"
_SERVICE = "is not the kind of service the balancers and the pool need"
_BY_ADDRESS = "is said by platform.ingress.load_balancer_ip"
_RENAMES = "renames the Service that the program reads"
_PLACE = "takes the place of what the program configures"
_PROXY = "--use-proxy-protocol"
_ON_THE_SERVICE = ("envoy", "service")
_POLICY = ("envoy", "networkPolicy")
_TIMEOUTS = ("configInline", "timeouts")


def decided(ingress: Ingress) -> tuple[Decided, ...]:
    """What the program decides of the chart's values."""
    ports = ingress.node_ports
    table = [
        traffic_policy(ingress, *_ON_THE_SERVICE, "externalTrafficPolicy"),
        *placed(
            ingress,
            kind=("envoy", "kind"),
            words=("daemonset", "deployment"),
            replicas=("envoy", "replicaCount"),
        ),
        Decided(keys=(*_ON_THE_SERVICE, "type"), why=_SERVICE, allowed=only("LoadBalancer")),
        Decided(keys=(*_ON_THE_SERVICE, "multiAz", "enabled"), why=_SERVICE, allowed=off),
        Decided(keys=(*_ON_THE_SERVICE, "loadBalancerIP"), why=_BY_ADDRESS, allowed=only("", None)),
        Decided(
            keys=(*_ON_THE_SERVICE, "loadBalancerClass"),
            why="makes MetalLB pass it over",
            allowed=only("", None),
        ),
        *(
            Decided(keys=(*_ON_THE_SERVICE, "annotations", key), why=_BY_ADDRESS)
            for key in ("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs")
        ),
        Decided(keys=(*_ON_THE_SERVICE, "name"), why=_RENAMES, allowed=only("", None)),
        *(Decided(keys=(key,), why=_RENAMES) for key in ("fullnameOverride", "nameOverride")),
        Decided(keys=("namespaceOverride",), why="is not where the program looks for it"),
        Decided(
            keys=("contour", "ingressClass", "name"),
            why="is not the class that Ingress objects here name",
            allowed=only("contour"),
        ),
        Decided(
            keys=("contour", "ingressClass", "create"),
            why="leaves Ingress objects without a class",
            allowed=on,
        ),
        Decided(
            keys=("contour", "extraArgs"),
            why=f"takes the place of the program's own, which has {_PROXY}",
            allowed=lambda given: isinstance(given, list) and _PROXY in given,
            right=f"add {_PROXY} to it",
        ),
        *(
            Decided(keys=keys, why=_PLACE, allowed=only("", None, []))
            for keys in (
                ("contour", "args"),
                ("contour", "command"),
                ("envoy", "args"),
                ("envoy", "command"),
                ("existingConfigMap",),
            )
        ),
        Decided(keys=("contour", "configPath"), why=_PLACE, allowed=on),
        *(
            Decided(keys=(*keys, "enabled"), why="leaves no ingress at all", allowed=on)
            for keys in (("contour",), ("envoy",))
        ),
        Decided(
            keys=("contour", "manageCRDs"),
            why="leaves the fallback certificate without its kind",
            allowed=on,
        ),
        Decided(
            keys=("contour", "rootNamespaces"),
            why="leaves out contour, where the fallback certificate is",
            allowed=lambda given: given in ("", None) or "contour" in str(given).split(","),
            right="add contour to it",
        ),
        Decided(keys=(*_POLICY, "enabled"), why=_TRUSTED, allowed=on),
        Decided(keys=(*_POLICY, "allowExternal"), why=_TRUSTED, allowed=off),
        *(
            Decided(
                keys=(*_POLICY, key),
                why=_TRUSTED,
                allowed=only({}, []),
                right="remove it, and let others reach other ports by a NetworkPolicy of your own",
            )
            for key in ("extraIngress", "ingressNSMatchLabels", "ingressNSPodMatchLabels")
        ),
        Decided(
            keys=("envoy", "hostNetwork"),
            why="takes Envoys out of the NetworkPolicy, which lets only the balancers reach them",
            allowed=off,
        ),
        *(
            Decided(keys=("envoy", "containerPorts", name), why=_TRUSTED, allowed=only(port))
            for name, port in (("http", 8080), ("https", 8443))
        ),
        Decided(
            keys=("envoy", "lifecycleHooks"),
            why="takes the place of the program's own, by which Envoys finish what they serve",
        ),
        Decided(
            keys=("envoy", "shutdownManager", "enabled"),
            why="has Envoys stop without finishing what they serve",
            allowed=on,
        ),
        Decided(
            keys=("configInline", "network", "num-trusted-hops"),
            why="believes headers about clients, which anybody may send",
            allowed=only(0, None),
        ),
        Decided(
            keys=("configInline", "tls", "fallback-certificate"),
            why="takes the place of what the balancers' checks, which name no host, are shown",
        ),
        Decided(
            keys=(*_TIMEOUTS, "request-timeout"), why="is said by platform.ingress.timeouts.read"
        ),
        Decided(
            keys=(*_TIMEOUTS, "connection-idle-timeout"),
            why="is said by platform.ingress.timeouts.idle",
        ),
    ]
    for key, port in (("http", ports.http), ("https", ports.https)):
        said = f"platform.ingress.node_ports.{key}"
        table.append(
            Decided(
                keys=(*_ON_THE_SERVICE, "nodePorts", key),
                why=f"is not {said} ({'null' if port is None else port})",
                allowed=only(port),
                right=f"say it in {said} alone",
            )
        )
    return tuple(table)


def promised(_: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What an Envoy that leaves gives to those it serves, in seconds: it is awaited for as long as
    its pod has patience."""
    yield "Envoy", ACCEPT_SECONDS + FINISH_SECONDS


_PODS = (
    "affinity args automountServiceAccountToken command containerPorts containerSecurityContext "
    "customLivenessProbe customReadinessProbe customStartupProbe enabled extraArgs extraEnvVars "
    "extraEnvVarsCM extraEnvVarsSecret extraVolumeMounts extraVolumes hostAliases image "
    "initContainers lifecycleHooks livenessProbe networkPolicy nodeAffinityPreset nodeSelector pdb "
    "podAffinityPreset podAnnotations podAntiAffinityPreset podLabels podSecurityContext "
    "priorityClassName readinessProbe replicaCount resources resourcesPreset schedulerName service "
    "serviceAccount sidecars startupProbe terminationGracePeriodSeconds tlsExistingSecret "
    "tolerations topologySpreadConstraints updateStrategy"
)
"""Of Contour's pods and of Envoy's alike."""
_KEYS: Final = {
    "": "commonAnnotations commonLabels configInline contour diagnosticMode envoy "
    "existingConfigMap extraDeploy fullnameOverride gatewayAPI global kubeVersion metrics "
    "nameOverride namespaceOverride rbac tlsExistingSecret useCertManager",
    "configInline": "accesslog-format accesslog-format-string accesslog-level cluster compression "
    "default-http-versions disableAllowChunkedLength disableMergeSlashes disablePermitInsecure "
    "enableExternalNameService featureFlags gateway globalExtAuth incluster "
    "ingress-status-address json-fields kubeconfig kubernetesClientBurst kubernetesClientQPS "
    "listener metrics network omEnforcedHealthListener policy rateLimitService runtime-settings "
    "server serverHeaderTransformation timeouts tls tracing envoy-service-name "
    "envoy-service-namespace",
    "configInline.network": "admin-port num-trusted-hops strip-trailing-host-dot",
    "configInline.timeouts": "connect-timeout connection-idle-timeout "
    "connection-shutdown-grace-period delayed-close-timeout max-connection-duration "
    "request-timeout stream-idle-timeout",
    "contour": f"{_PODS} certgen configPath contourConfigName debug envoyServiceName "
    "envoyServiceNamespace ingressClass ingressStatusAddress kubernetesDebug "
    "leaderElectionResourceName logFormat manageCRDs overloadManager rootNamespaces",
    "contour.ingressClass": "create default name",
    "envoy": f"{_PODS} autoscaling defaultInitContainers dnsPolicy hostIPs hostNetwork hostPorts "
    "kind logLevel minReadySeconds revisionHistoryLimit shutdownManager useHostIP useHostPort",
    "envoy.networkPolicy": "allowExternal allowExternalEgress enabled extraEgress extraIngress "
    "ingressNSMatchLabels ingressNSPodMatchLabels",
    "envoy.service": "annotations clusterIP exposeMetrics externalIPs externalTrafficPolicy "
    "extraPorts ipFamilies ipFamilyPolicy labels loadBalancerClass loadBalancerIP "
    "loadBalancerSourceRanges multiAz name nodePorts ports sessionAffinity sessionAffinityConfig "
    "targetPorts type",
    "envoy.service.nodePorts": "http https metrics",
}

CONTOUR: Final = IngressRules(
    chart="contour",
    keys=_KEYS,
    decided=decided,
    arguments=None,
    request=60,
    tells_requests=True,
    health=False,
    leaving=Leaving(
        strategy=("envoy", "updateStrategy"),
        patience=("envoy", "terminationGracePeriodSeconds"),
        promised=promised,
        default=ACCEPT_SECONDS + FINISH_SECONDS + 10,
        probe=("envoy", "readinessProbe"),
        every=5,
    ),
)

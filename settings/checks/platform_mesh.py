"""The mesh: charts that belong together, values that neither they nor Cilium's may undo, and
namespaces that can be in it.

Sources: the charts' values.yaml (Istio's base, cni and istiod; Linkerd's, edge-26.8); Istio's
"Platform-Specific Prerequisites" and Linkerd's "CNI Plugin" (Cilium); Cilium's guide "Integration
with Istio" (cni.exclusive, socketLB.hostNamespaceOnly).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from settings.checks.chart_keys import overlooked
from settings.checks.decided import Decided, off, on, only, undone
from settings.checks.registry import reads
from settings.models.mesh import MESH_KINDS
from settings.models.stack import Stack
from settings.problems import Problem, problem

_CAPABILITY = "needs a container that may change the network, which *restricted* refuses"
_CUTS = "ends a proxy before its application, and with it what that still serves"
_PLAIN = "lets pods be reached without mutual TLS"
_AUTHORITY = "is not the stack's own authority"
MESH: Final[Mapping[str, Mapping[str, tuple[Decided, ...]]]] = {
    "istio": {
        "crds": (
            Decided(
                keys=("base", "enableIstioConfigCRDs"),
                why="leaves the mesh without its kinds",
                allowed=on,
            ),
        ),
        "cni": (
            Decided(keys=("chained",), why="takes Cilium's place in the pods' network", allowed=on),
        ),
        "control_plane": (
            Decided(keys=("cni", "enabled"), why=_CAPABILITY, allowed=on),
            Decided(keys=("pilot", "cni", "enabled"), why=_CAPABILITY, allowed=on),
            Decided(keys=("env", "ENABLE_NATIVE_SIDECARS"), why=_CUTS, allowed=on),
            Decided(
                keys=("global", "istioNamespace"),
                why="is not where the program looks for it",
                allowed=only("istio-system"),
            ),
            Decided(
                keys=("sidecarInjectorWebhook", "enableNamespacesByDefault"),
                why="brings every namespace into the mesh, the ingress' own too",
                allowed=off,
            ),
        ),
    },
    "linkerd": {
        "crds": (),
        "cni": (
            Decided(
                keys=("destCNINetDir",),
                why="is not where containerd looks",
                allowed=only("/etc/cni/net.d"),
            ),
        ),
        "control_plane": (
            Decided(keys=("cniEnabled",), why=_CAPABILITY, allowed=on),
            Decided(keys=("proxy", "nativeSidecar"), why=_CUTS, allowed=on),
            Decided(
                keys=("proxy", "defaultInboundPolicy"),
                why=_PLAIN,
                allowed=only("all-authenticated", "cluster-authenticated", "deny"),
            ),
            Decided(keys=("identity", "externalCA"), why=_AUTHORITY, allowed=on),
            Decided(
                keys=("identity", "issuer", "scheme"),
                why=_AUTHORITY,
                allowed=only("kubernetes.io/tls"),
            ),
            Decided(keys=("identityTrustAnchorsPEM",), why=_AUTHORITY),
            Decided(keys=("clusterNetworks",), why="are networks.pods and networks.services"),
        ),
    },
}
"""By the word of `platform.mesh.kind` and the key of the chart."""
KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "istio": {
        "crds": "global base defaultRevision experimental profile platform compatibilityVersion",
        "cni": """hub tag variant image pullPolicy logging cniBinDir cniConfDir cniConfFileName
            cniNetnsDir istioOwnedCNIConfigFileName istioOwnedCNIConfig excludeNamespaces affinity
            daemonSetLabels podAnnotations podLabels chained provider ambient repair seccompProfile
            seLinuxOptions useAppArmorAnnotation resources resourceQuotas tolerations updateStrategy
            terminationGracePeriodSeconds revision ownerName global env profile platform
            compatibilityVersion""",
        "control_plane": """autoscaleEnabled autoscaleMin autoscaleMax autoscaleBehavior
            replicaCount rollingMaxSurge rollingMaxUnavailable hub tag variant image traceSampling
            resources seccompProfile cni extraContainerArgs env envVarFrom taint affinity
            tolerations cpu memory volumeMounts volumes initContainers nodeSelector podAnnotations
            serviceAnnotations serviceAccountAnnotations sidecarInjectorWebhookAnnotations
            topologySpreadConstraints jwksResolverExtraRootCA keepaliveMaxServerConnectionAge
            deploymentLabels deploymentAnnotations configMap podLabels ipFamilyPolicy ipFamilies
            trustedZtunnelNamespace trustedZtunnelName sidecarInjectorWebhook istiodRemote telemetry
            revision revisionTags ownerName meshConfig experimental global base gateways
            gatewayClasses pdb pilot crlConfigMapName terminationMessagePolicy trafficDistribution
            profile platform compatibilityVersion""",
    },
    "linkerd": {
        "crds": "installGatewayAPI enableHttpRoutes enableTlsRoutes enableTcpRoutes",
        "cni": """inboundProxyPort outboundProxyPort ignoreInboundPorts ignoreOutboundPorts
            proxyAdminPort proxyControlPort podLabels commonLabels logLevel portsToRedirect proxyUID
            proxyGID destCNINetDir destCNIBinDir useWaitFlag iptablesMode disableIPv6
            priorityClassName revisionHistoryLimit updateStrategy enablePSP privileged tolerations
            nodeAffinity image imagePullSecrets extraInitContainers repairController resources""",
        "control_plane": """clusterDomain clusterNetworks imagePullPolicy revisionHistoryLimit
            controllerLogLevel controllerLogFormat linkerdVersion deploymentStrategy
            enableEndpointSlices enablePodAntiAffinity enablePprof enablePodDisruptionBudget
            disableIPv6 controller cniEnabled identityTrustAnchorsPEM identityTrustDomain kubeAPI
            podAnnotations podLabels commonLabels priorityClassName runtimeClassName
            policyController proxy proxyInit networkValidator imagePullSecrets linkerdVersion
            webhookFailurePolicy controllerImage controllerReplicas controllerUID controllerGID
            destinationResources destinationProxyResources destinationController debugContainer
            identity identityResources identityProxyResources disableHeartBeat heartbeatSchedule
            heartbeat heartbeatResources proxyInjector proxyInjectorResources
            proxyInjectorProxyResources profileValidator policyValidator nodeSelector spValidator
            spValidatorResources tolerations nodeAffinity prometheusUrl podMonitor egress
            configReaders controllerImageVersion enableH2Upgrade
            enablePSP""",
    },
}
"""The keys of each chart, apart by blanks."""
CILIUM: Final = (
    Decided(
        keys=("cni", "exclusive"),
        why="takes away what platform.mesh puts beside it into the pods' network: no pod of the "
        "mesh would start",
        allowed=off,
    ),
    Decided(
        keys=("socketLB", "hostNamespaceOnly"),
        why="chooses a pod before the proxies of platform.mesh see which service was meant",
        allowed=on,
    ),
)
"""What a mesh asks of the pod network."""


@reads("platform")
def mesh_stays_as_decided(stack: Stack) -> Iterator[Problem]:
    """Mutual TLS, by proxies that need no rights of the pods', and end after them."""
    given = stack.platform.mesh
    if given is None:
        return
    for key, name in given.traits.charts.items():
        path, values = f"platform.mesh.{key}.values", getattr(given, key).values
        yield from undone(path, values, MESH[given.kind][key])
        yield from overlooked(path, values, name, {"": KEYS[given.kind][key]})
    yield from undone("platform.cilium.values", stack.platform.cilium.values, CILIUM)


@reads("platform")
def mesh_charts_belong_together(stack: Stack) -> Iterator[Problem]:
    """Each is a chart of the kind; Istio and Linkerd are released as a whole."""
    given = stack.platform.mesh
    if given is None:
        return
    others = {name for each in MESH_KINDS.values() for name in each.charts.values()}
    for key, name in given.traits.charts.items():
        here, chart = f"platform.mesh.{key}", getattr(given, key)
        if chart.last_word in others and chart.last_word != name:
            wrong = f"is not the chart of {given.kind} that stands at this key"
            yield problem(f"{here}.chart", chart.chart, wrong, f"write {name}")
        if chart.version != given.control_plane.version:
            wanted = given.control_plane.version
            wrong = f"is not the version of platform.mesh.control_plane, {wanted}"
            yield problem(f"{here}.version", chart.version, wrong, "write the same for all three")

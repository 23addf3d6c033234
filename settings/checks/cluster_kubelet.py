"""What a stack adds to the kubelet: its flags and its KubeletConfiguration (v1beta1)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from settings.checks.decided import Decided, off, only, undone
from settings.checks.registry import doubts, reads
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem
from settings.words import closest

_DECIDED_FLAGS: Final = (
    *("bootstrap-kubeconfig", "cluster-dns", "cluster-domain", "config"),
    *("container-runtime-endpoint", "hostname-override", "kubeconfig", "node-ip", "pod-cidr"),
    "pod-manifest-path",
)
_REMOVED_FLAGS: Final = (
    *("cni-bin-dir", "cni-cache-dir", "cni-conf-dir", "container-runtime", "docker-endpoint"),
    *("dynamic-config-dir", "experimental-bootstrap-kubeconfig", "image-pull-progress-deadline"),
    *("keep-terminated-pod-volumes", "master-service-namespace", "network-plugin"),
    *("network-plugin-mtu", "non-masquerade-cidr", "pod-infra-container-image"),
    *("redirect-container-streaming", "register-schedulable"),
)
"""Gone from the kubelet by 1.35: it stops at a flag it does not know."""

_INTEGERS: Final = (
    *("port", "readOnlyPort", "registryPullQPS", "registryBurst", "eventRecordQPS", "eventBurst"),
    *("healthzPort", "oomScoreAdj", "nodeStatusMaxImages", "imageGCHighThresholdPercent"),
    *("imageGCLowThresholdPercent", "maxPods", "podsPerCore", "podPidsLimit", "maxOpenFiles"),
    *("kubeAPIQPS", "kubeAPIBurst", "evictionMaxPodGracePeriod", "containerLogMaxFiles"),
    *("iptablesMasqueradeBit", "iptablesDropBit", "maxParallelImagePulls"),
    *("containerLogMaxWorkers", "nodeLeaseDurationSeconds"),
)
_TRUTHS: Final = (
    *("enableServer", "rotateCertificates", "serverTLSBootstrap", "enableDebuggingHandlers"),
    *("cgroupsPerQOS", "cpuCFSQuota", "failSwapOn", "failCgroupV1"),
    *("serializeImagePulls", "enableContentionProfiling", "enableControllerAttachDetach"),
    *("protectKernelDefaults", "makeIPTablesUtilChains", "enableSystemLogHandler"),
    *("enableSystemLogQuery", "enableProfilingHandler", "enableDebugFlagsHandler"),
    *("seccompDefault", "registerNode", "localStorageCapacityIsolation", "singleProcessOOMKill"),
    *("mergeDefaultEvictionSettings", "kernelMemcgNotification"),
)
_TEXTS: Final = (
    *("staticPodPath", "podLogsDir", "syncFrequency", "fileCheckFrequency", "httpCheckFrequency"),
    *("staticPodURL", "address", "tlsCertFile", "tlsPrivateKeyFile", "tlsMinVersion"),
    *("healthzBindAddress", "clusterDomain", "streamingConnectionIdleTimeout"),
    *("nodeStatusUpdateFrequency", "nodeStatusReportFrequency", "imageMinimumGCAge"),
    *("imageMaximumGCAge", "volumeStatsAggPeriod", "kubeletCgroups", "systemCgroups"),
    *("cgroupRoot", "cgroupDriver", "cpuManagerPolicy", "cpuManagerReconcilePeriod"),
    *("memoryManagerPolicy", "topologyManagerPolicy", "topologyManagerScope", "hairpinMode"),
    *("runtimeRequestTimeout", "podCIDR", "resolvConf", "cpuCFSQuotaPeriod"),
    *(
        "contentType",
        "evictionPressureTransitionPeriod",
        "configMapAndSecretChangeDetectionStrategy",
    ),
    *("containerLogMaxSize", "containerLogMonitorInterval", "systemReservedCgroup"),
    *("kubeReservedCgroup", "volumePluginDir", "providerID", "shutdownGracePeriod"),
    *("shutdownGracePeriodCriticalPods", "containerRuntimeEndpoint", "imageServiceEndpoint"),
    *("imagePullCredentialsVerificationPolicy", "reservedSystemCPUs"),
)
_OTHERS: Final = (
    *("apiVersion", "kind", "authentication", "authorization", "clusterDNS", "evictionHard"),
    *("evictionSoft", "evictionSoftGracePeriod", "evictionMinimumReclaim", "featureGates"),
    *("tlsCipherSuites", "staticPodURLHeader", "cpuManagerPolicyOptions", "qosReserved"),
    *("topologyManagerPolicyOptions", "memorySwap", "systemReserved", "kubeReserved"),
    *("showHiddenMetricsForVersion", "enforceNodeAllocatable", "allowedUnsafeSysctls", "logging"),
    *("reservedMemory", "registerWithTaints", "shutdownGracePeriodByPodPriority", "tracing"),
    *("memoryThrottlingFactor", "crashLoopBackOff", "userNamespaces"),
    "preloadedImagesVerificationAllowlist",
)
_KNOWN: Final = (*_INTEGERS, *_TRUTHS, *_TEXTS, *_OTHERS)
"""KubeletConfiguration v1beta1 (kubernetes.io/docs/reference/config-api)."""

_OURS = "is decided by the program"
_DECIDED: Final = (
    Decided(keys=("apiVersion",), why=_OURS),
    Decided(keys=("kind",), why=_OURS),
    Decided(keys=("clusterDNS",), why="is kubeadm's to say: the tenth address of the services"),
    Decided(keys=("clusterDomain",), why=_OURS, allowed=only("cluster.local")),
    Decided(
        keys=("containerRuntimeEndpoint",),
        why="is not where containerd listens",
        allowed=only("unix:///run/containerd/containerd.sock"),
    ),
    Decided(
        keys=("staticPodPath",),
        why="is not where kubeadm puts the control plane",
        allowed=only("/etc/kubernetes/manifests"),
    ),
    Decided(
        keys=("authentication", "anonymous", "enabled"),
        why="lets whoever reaches a node command its kubelet",
        allowed=off,
    ),
    Decided(
        keys=("authorization", "mode"),
        why="lets whoever reaches a node command its kubelet",
        allowed=only("Webhook"),
    ),
    Decided(keys=("podCIDR",), why="is each node's own share of networks.pods"),
    Decided(
        keys=("cgroupDriver",),
        why="is no driver of cgroups",
        allowed=only("systemd", "cgroupfs"),
        right="remove it: systemd",
    ),
)


@reads("cluster")
def kubelets_flags_are_its_own(stack: Stack) -> Iterator[Problem]:
    """Flags add; they do not undo what the program decides, and the kubelet knows them."""
    for flag, text in stack.cluster.kubelet.extra_args.items():
        path = f"cluster.kubelet.extra_args.{flag}"
        if flag in _DECIDED_FLAGS:
            yield problem(path, text, "is decided for each node by the program", "remove it")
        elif flag in _REMOVED_FLAGS:
            yield problem(
                path, text, "is a flag the kubelet no longer has, and stops at", "remove it"
            )


@reads("cluster")
def kubelets_configuration_is_read(stack: Stack) -> Iterator[Problem]:
    """Keys spelt as the kubelet spells them, values of their types."""
    path, given = "cluster.kubelet.config", stack.cluster.kubelet.config
    folded = {each.lower(): each for each in _KNOWN}
    for key, value in given.items():
        here, meant = f"{path}.{key}", folded.get(key.lower())
        if meant is not None and meant != key:
            yield problem(here, ABSENT, "is not spelt as the kubelet spells it", f"write {meant}")
        elif key in _INTEGERS and (isinstance(value, bool) or not isinstance(value, int)):
            yield _type(here, value, "whole number", "write a number without quotes")
        elif key in _TRUTHS and not isinstance(value, bool):
            yield _type(here, value, "true or false", "write true or false without quotes")
        elif key in _TEXTS and not isinstance(value, str):
            yield _type(here, value, "text", "put it in quotes")
    most = given.get("maxPods")
    if isinstance(most, int) and not isinstance(most, bool) and most < 1:
        yield problem(f"{path}.maxPods", most, "leaves a node no pods", "write 1 or more")
    yield from undone(path, given, _DECIDED)


def _type(path: str, value: object, wanted: str, right: str) -> Problem:
    shown = ABSENT if isinstance(value, dict | list) else value
    article = "" if wanted in ("text", "true or false") else "a "
    return problem(path, shown, f"is not {article}{wanted} to the kubelet", right)


@doubts("cluster")
def kubelets_keys_are_known(stack: Stack) -> Iterator[Problem]:
    """A key that this program has not heard of may be a newer kubelet's, or misspelt."""
    folded = {each.lower() for each in _KNOWN}
    for key in stack.cluster.kubelet.config:
        if key.lower() not in folded:
            close = closest(key, _KNOWN)
            right = f"did you mean {close}?" if close else "look it up in the kubelet's reference"
            yield problem(
                f"cluster.kubelet.config.{key}",
                ABSENT,
                "is no key of the kubelet known here",
                right,
            )


@doubts("cluster")
def one_manager_of_cgroups(stack: Stack) -> Iterator[Problem]:
    """runc is under systemd's cgroups here; a kubelet under its own would fight it for limits."""
    cluster = stack.cluster
    said = (
        ("cluster.kubelet.config.cgroupDriver", cluster.kubelet.config.get("cgroupDriver")),
        (
            "cluster.kubelet.extra_args.cgroup-driver",
            cluster.kubelet.extra_args.get("cgroup-driver"),
        ),
    )
    for path, driver in said:
        if driver == "cgroupfs" and not any(
            map(_own_cgroups, cluster.containerd.snippets.values())
        ):
            yield problem(
                path,
                driver,
                "is not what containerd uses (SystemdCgroup = true)",
                "remove it, or set SystemdCgroup = false in a snippet of cluster.containerd",
            )


def _own_cgroups(snippet: str) -> bool:
    def found(value: Any) -> bool:
        if not isinstance(value, Mapping):
            return False
        return value.get("SystemdCgroup") is False or any(map(found, value.values()))

    return found(tomllib.loads(snippet))

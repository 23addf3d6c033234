"""The programs the lab builds from Go modules, the most wanted first."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lab.software import versions
from lab.software.gobuild import GoModule, GoProgram

_HERE = Path(__file__).resolve().parent

PULUMI = GoProgram(
    name="pulumi",
    version=versions.PULUMI,
    module=GoModule(
        requires={"github.com/pulumi/pulumi/pkg/v3": f"v{versions.PULUMI}"},
        replaces={
            "github.com/atotto/clipboard": (
                "github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e"
            )
        },
    ),
    packages={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    # The Automation API refuses an engine that does not say its version.
    variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{versions.PULUMI}"},
)

HELM = GoProgram(
    name="helm",
    version=versions.HELM,
    module=GoModule(requires={"helm.sh/helm/v3": f"v{versions.HELM}"}),
    packages={"helm": "helm.sh/helm/v3/cmd/helm"},
    variables={
        "helm.sh/helm/v3/internal/version.version": f"v{versions.HELM}",
        # What charts rendered without a cluster are told; helm's own builds set it this way.
        **{
            f"helm.sh/helm/v3/pkg/{package}.k8sVersion{part}": number
            for package in ("lint/rules", "chartutil")
            for part, number in zip(
                ("Major", "Minor"), versions.KUBERNETES.split(".")[:2], strict=True
            )
        },
    },
)

_CONTAINERD = "github.com/containerd/containerd/v2"
CONTAINERD = GoProgram(
    name="containerd",
    version=versions.CONTAINERD,
    module=GoModule(requires={_CONTAINERD: f"v{versions.CONTAINERD}"}),
    packages={
        "containerd": f"{_CONTAINERD}/cmd/containerd",
        "containerd-shim-runc-v2": f"{_CONTAINERD}/cmd/containerd-shim-runc-v2",
        "ctr": f"{_CONTAINERD}/cmd/ctr",
    },
    variables={
        f"{_CONTAINERD}/version.Version": f"v{versions.CONTAINERD}",
        f"{_CONTAINERD}/version.Package": _CONTAINERD,
    },
)

_CNI = "github.com/containernetworking/plugins"
CNI_PLUGINS = GoProgram(
    name="cni-plugins",
    version=versions.CNI_PLUGINS,
    module=GoModule(requires={_CNI: f"v{versions.CNI_PLUGINS}"}),
    packages={
        "loopback": f"{_CNI}/plugins/main/loopback",
        "bridge": f"{_CNI}/plugins/main/bridge",
        "host-local": f"{_CNI}/plugins/ipam/host-local",
        "portmap": f"{_CNI}/plugins/meta/portmap",
    },
    variables={f"{_CNI}/pkg/utils/buildversion.BuildVersion": f"v{versions.CNI_PLUGINS}"},
)

ETCD = GoProgram(
    name="etcd",
    version=versions.ETCD,
    module=GoModule(
        requires={
            "go.etcd.io/etcd/server/v3": f"v{versions.ETCD}",
            "go.etcd.io/etcd/etcdctl/v3": f"v{versions.ETCD}",
            "go.etcd.io/etcd/etcdutl/v3": f"v{versions.ETCD}",
        }
    ),
    packages={
        "etcd": "go.etcd.io/etcd/server/v3",
        "etcdctl": "go.etcd.io/etcd/etcdctl/v3",
        "etcdutl": "go.etcd.io/etcd/etcdutl/v3",
    },
)

_STAGING = (
    *("api", "apiextensions-apiserver", "apimachinery", "apiserver", "cli-runtime", "client-go"),
    *("cloud-provider", "cluster-bootstrap", "code-generator", "component-base"),
    *("component-helpers", "controller-manager", "cri-api", "cri-client", "cri-streaming"),
    *("csi-translation-lib", "dynamic-resource-allocation", "endpointslice", "externaljwt", "kms"),
    *("kube-aggregator", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl"),
    *("kubelet", "metrics", "mount-utils", "pod-security-admission", "sample-apiserver"),
    *("sample-cli-plugin", "sample-controller", "streaming"),
)


def _kubernetes(
    name: str,
    version: str = versions.KUBERNETES,
    staging: str = versions.KUBERNETES_STAGING,
    called: str | None = None,
) -> GoProgram:
    major, minor, _ = version.split(".")
    told = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return GoProgram(
        name=called or name,
        version=version,
        module=GoModule(
            requires={"k8s.io/kubernetes": f"v{version}"},
            replaces={f"k8s.io/{each}": f"k8s.io/{each} v{staging}" for each in _STAGING},
        ),
        packages={name: f"k8s.io/kubernetes/cmd/{name}"},
        variables={
            f"k8s.io/component-base/version.{key}": value
            for key, value in {**told, "gitTreeState": "clean"}.items()
        },
    )


KUBEADM = _kubernetes("kubeadm")
KUBELET = _kubernetes("kubelet")
KUBECTL = _kubernetes("kubectl")
KUBE_APISERVER = _kubernetes("kube-apiserver")
KUBE_CONTROLLER_MANAGER = _kubernetes("kube-controller-manager")
KUBE_SCHEDULER = _kubernetes("kube-scheduler")
EARLIER = {
    each.name: _kubernetes(
        each.name,
        versions.KUBERNETES_EARLIER,
        versions.KUBERNETES_EARLIER_STAGING,
        f"{each.name}-earlier",
    )
    for each in (
        *(KUBEADM, KUBELET, KUBECTL, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER),
    )
}
"""The same programs of an earlier release, by name: no part of every lab."""

COREDNS = GoProgram(
    name="coredns",
    version=versions.COREDNS,
    module=GoModule(requires={"github.com/coredns/coredns": f"v{versions.COREDNS}"}),
    packages={"coredns": "github.com/coredns/coredns"},
)

CILIUM_MODULE = "github.com/cilium/cilium"
_CILIUM = GoModule(
    requires={CILIUM_MODULE: f"v{versions.CILIUM}"},
    replaces={
        "go.universe.tf/metallb": f"github.com/cilium/metallb {versions.CILIUM_METALLB_FORK}"
    },
)
# The agent reads its version as "NUMBER REVISION DATE".
_CILIUM_VARIABLES = {
    f"{CILIUM_MODULE}/pkg/version.ciliumVersion": f"{versions.CILIUM} module 1970-01-01T00:00:00Z"
}
_CILIUM_PATCHES = {
    f"{CILIUM_MODULE}/pkg/datapath/linux/modules/modules_linux.go": (
        _HERE / "cilium" / "modules_linux.go"
    ).read_text()
}

CILIUM_AGENT = GoProgram(
    name="cilium-agent",
    version=versions.CILIUM,
    module=_CILIUM,
    packages={
        "cilium-agent": f"{CILIUM_MODULE}/daemon",
        "cilium-cni": f"{CILIUM_MODULE}/plugins/cilium-cni",
        "cilium-dbg": f"{CILIUM_MODULE}/cilium-dbg",
        "cilium-mount": f"{CILIUM_MODULE}/tools/mount",
        "cilium-sysctlfix": f"{CILIUM_MODULE}/tools/sysctlfix",
    },
    variables=_CILIUM_VARIABLES,
    patches=_CILIUM_PATCHES,
)
CILIUM_OPERATOR = GoProgram(
    name="cilium-operator-generic",
    version=versions.CILIUM,
    module=_CILIUM,
    packages={"cilium-operator-generic": f"{CILIUM_MODULE}/operator"},
    variables=_CILIUM_VARIABLES,
    tags=("ipam_provider_operator",),
    patches=_CILIUM_PATCHES,
)

METALLB_MODULE = "go.universe.tf/metallb"
METALLB = GoProgram(
    name="metallb",
    version=versions.METALLB,
    module=GoModule(requires={METALLB_MODULE: f"v{versions.METALLB}"}),
    packages={
        "controller": f"{METALLB_MODULE}/controller",
        "speaker": f"{METALLB_MODULE}/speaker",
    },
)

CRICTL = GoProgram(
    name="crictl",
    version=versions.CRI_TOOLS,
    module=GoModule(requires={"sigs.k8s.io/cri-tools": f"v{versions.CRI_TOOLS}"}),
    packages={"crictl": "sigs.k8s.io/cri-tools/cmd/crictl"},
    variables={"sigs.k8s.io/cri-tools/pkg/version.Version": f"v{versions.CRI_TOOLS}"},
)

ACTIONLINT = GoProgram(
    name="actionlint",
    version=versions.ACTIONLINT,
    module=GoModule(requires={"github.com/rhysd/actionlint": f"v{versions.ACTIONLINT}"}),
    packages={"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
    variables={"github.com/rhysd/actionlint.version": versions.ACTIONLINT},
)
"""Judges the workflows; no part of the lab."""


def _own(name: str) -> GoProgram:
    text = (_HERE / name / "main.go").read_text()
    return GoProgram(
        name=name,
        version=hashlib.sha256(text.encode()).hexdigest()[:8],
        module=GoModule(requires={}),
        packages={name: "."},
        sources={"main.go": text},
    )


ECHO = _own("echo")
PAUSE = _own("pause")

PROGRAMS: tuple[GoProgram, ...] = (
    *(PULUMI, HELM, CONTAINERD, CNI_PLUGINS, ETCD, KUBEADM, KUBELET, KUBECTL),
    *(KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, COREDNS),
    *(CILIUM_AGENT, CILIUM_OPERATOR, METALLB, CRICTL, ECHO, PAUSE),
)
"""Every program of the lab, in the order they are built."""
TOOLS: tuple[GoProgram, ...] = (ACTIONLINT,)
"""What `make lint` runs."""

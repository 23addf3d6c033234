"""The lab's own Debian packages: Kubernetes and containerd, named and laid out as upstream's.

Differences, all of them: `kubernetes-cni` holds the four plugins that are used here; runc is
Debian's (`containerd.io` depends on it instead of carrying one); neither /etc/default/kubelet nor
/etc/containerd/config.toml is shipped, so a configuration written before the installation stands.
"""

from __future__ import annotations

from pathlib import Path

from lab.software import goitems, versions
from lab.software.deb import Package

_UNITS = Path(__file__).resolve().parent / "units"
_SYSTEM = "/usr/lib/systemd/system"

_ENABLE = """#!/bin/sh
set -e
if [ "$1" = configure ]; then
    deb-systemd-helper unmask {unit} >/dev/null || true
    if deb-systemd-helper --quiet was-enabled {unit}; then
        deb-systemd-helper enable {unit} >/dev/null || true
    else
        deb-systemd-helper update-state {unit} >/dev/null || true
    fi
    if [ -d /run/systemd/system ]; then
        systemctl --system daemon-reload >/dev/null || true
        deb-systemd-invoke {action} {unit} >/dev/null || true
    fi
fi
"""
_STOP = """#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop {unit} >/dev/null || true
fi
"""
_FORGET = """#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ]; then
    deb-systemd-helper purge {unit} >/dev/null || true
fi
"""
_RELOAD = """#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
"""


def kubernetes() -> tuple[Package, ...]:
    """kubeadm, kubelet, kubectl, kubernetes-cni and cri-tools, as in Kubernetes' repository.

    As upstream's, the kubelet is not enabled by its installation.
    """
    release = f"{versions.KUBERNETES}-{versions.PACKAGE_REVISION}"
    home = "https://kubernetes.io"
    return (
        Package(
            name="kubeadm",
            version=release,
            description="Command-line utility for creating a Kubernetes cluster",
            programs={"/usr/bin/kubeadm": goitems.KUBEADM.executable("kubeadm")},
            texts={
                f"{_SYSTEM}/kubelet.service.d/10-kubeadm.conf": (
                    _UNITS / "10-kubeadm.conf"
                ).read_text()
            },
            depends=(
                *("kubelet (>= 1.19.0)", "kubectl (>= 1.19.0)"),
                *("kubernetes-cni (>= 1.1.1)", "cri-tools (>= 1.30.0)"),
            ),
            scripts={"postinst": _RELOAD},
            homepage=home,
        ),
        Package(
            name="kubelet",
            version=release,
            description="Node agent for Kubernetes clusters",
            programs={"/usr/bin/kubelet": goitems.KUBELET.executable("kubelet")},
            texts={f"{_SYSTEM}/kubelet.service": (_UNITS / "kubelet.service").read_text()},
            directories=("/var/lib/kubelet", "/etc/kubernetes/manifests"),
            depends=(
                *("iptables (>= 1.4.21)", "kubernetes-cni (>= 1.2.0)", "iproute2", "mount"),
                *("util-linux", "ethtool", "conntrack", "socat"),
            ),
            scripts={
                "postinst": _RELOAD,
                "prerm": _STOP.format(unit="kubelet.service"),
                "postrm": _FORGET.format(unit="kubelet.service"),
            },
            homepage=home,
        ),
        Package(
            name="kubectl",
            version=release,
            description="Command-line utility for interacting with a Kubernetes cluster",
            programs={"/usr/bin/kubectl": goitems.KUBECTL.executable("kubectl")},
            homepage=home,
        ),
        Package(
            name="kubernetes-cni",
            version=f"{versions.CNI_PLUGINS}-{versions.PACKAGE_REVISION}",
            description="Binaries required to provision kubernetes container networking",
            programs={
                f"/opt/cni/bin/{name}": goitems.CNI_PLUGINS.executable(name)
                for name in goitems.CNI_PLUGINS.packages
            },
            directories=("/etc/cni/net.d",),
            homepage=home,
        ),
        Package(
            name="cri-tools",
            version=f"{versions.CRI_TOOLS}-{versions.PACKAGE_REVISION}",
            description="Command-line utility for interacting with a container runtime",
            programs={"/usr/bin/crictl": goitems.CRICTL.executable("crictl")},
            homepage=home,
        ),
    )


def containerd() -> tuple[Package, ...]:
    """containerd.io, as Docker's repository names it: enabled and started when installed."""
    unit = "containerd.service"
    return (
        Package(
            name="containerd.io",
            version=f"{versions.CONTAINERD}-{versions.CONTAINERD_REVISION}",
            description="An open and reliable container runtime",
            programs={
                f"/usr/bin/{name}": goitems.CONTAINERD.executable(name)
                for name in goitems.CONTAINERD.packages
            },
            texts={f"{_SYSTEM}/{unit}": (_UNITS / unit).read_text()},
            depends=("runc (>= 1.1)",),
            provides=("containerd",),
            conflicts=("containerd",),
            replaces=("containerd",),
            scripts={
                "postinst": _ENABLE.format(unit=unit, action="restart"),
                "prerm": _STOP.format(unit=unit),
                "postrm": _FORGET.format(unit=unit),
            },
            homepage="https://containerd.io",
        ),
    )


PROGRAMS = (
    *(goitems.KUBEADM, goitems.KUBELET, goitems.KUBECTL, goitems.CNI_PLUGINS),
    *(goitems.CRICTL, goitems.CONTAINERD),
)
"""What must be built before these packages."""

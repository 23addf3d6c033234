"""What a stack adds to every node: kernel settings, files, packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from settings.checks.registry import reads
from settings.models.distributions import DISTRIBUTIONS
from settings.models.software import AptRepository
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import ABSENT, Problem, problem

_FORWARDING = re.compile(r"net\.ipv4\.(ip_forward|conf\..+\.(mc_)?forwarding)")
_STRICT = re.compile(r"net\.ipv4\.conf\..+\.rp_filter")
_BRIDGED = re.compile(r"net\.bridge\.bridge-nf-call-(ip|ip6)tables")

_NAMED: Final = re.compile(r"/etc/.*/([0-9]{2}-?)?layered-(cloud|leg)[^/]*")
"""Files that bear this program's name, whatever the folder."""
OWNED: Final = (
    *("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/chrony/chrony.conf"),
    *("/etc/default/kubelet", "/etc/modules-load.d/kubernetes.conf"),
    "/etc/systemd/system/prometheus-node-exporter.socket",
    "/etc/systemd/system/prometheus-node-exporter-own.socket",
    *("/etc/sysctl.d/90-kubernetes.conf", "/etc/apt/sources.list", "/root/.ssh/authorized_keys"),
    *("/etc/kubernetes/kubeadm-config.yaml", *(each.sources for each in DISTRIBUTIONS.values())),
)
"""Files of this program on a node; a test compares them with what the layers write."""
_FOLDERS: Final = {
    "/etc/containerd/conf.d/": "write it as a snippet, under cluster.containerd.snippets",
    "/etc/containerd/certs.d/": "write it as a registry, under cluster.containerd.hosts",
    "/etc/containerd/": "write a snippet, under cluster.containerd.snippets",
    "/etc/layered-cloud/": "write it elsewhere",
    "/etc/kubernetes/layered-cloud/": "write it elsewhere",
    "/var/lib/layered-cloud/": "write it elsewhere",
    "/etc/kubernetes/manifests/": "write it elsewhere: kubeadm makes the control plane there",
    "/etc/kubernetes/pki/": "write it elsewhere: kubeadm makes the certificates there",
    "/var/lib/kubelet/": "write it elsewhere: cluster.kubelet says it",
    "/etc/cni/net.d/": "write it elsewhere: Cilium says it",
    "/usr/lib/": "write it under /etc: packages own it",
    "/lib/": "write it under /etc: packages own it",
    "/bin/": "write it under /usr/local: packages own it",
    "/sbin/": "write it under /usr/local: packages own it",
    "/usr/bin/": "write it under /usr/local: packages own it",
    "/usr/sbin/": "write it under /usr/local: packages own it",
    "/boot/": "leave it: it is the system's",
    "/dev/": "write it on a disk, under /etc",
    "/proc/": "write it as a setting, under cluster.sysctls",
    "/run/": "write it on a disk, under /etc",
    "/sys/": "write it on a disk, under /etc",
    "/tmp/": "write it on a disk that stays, under /etc",  # noqa: S108 (refused)
}
_SYSTEMS: Final = (
    *("/etc/fstab", "/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow", "/etc/sudoers"),
    *("/etc/ssh/sshd_config", "/etc/sysctl.conf", "/etc/systemd/system.conf"),
    *(
        f"/etc/kubernetes/{name}.conf"
        for name in ("admin", "controller-manager", "kubelet", "scheduler", "super-admin")
    ),
)
"""Written by packages and by kubeadm; most have a folder beside them for additions."""

INSTALLED: Final = ("chrony", "kubeadm", "kubectl", "kubelet", "openssh-server", "sudo")
BY_SETTING: Final = {
    "prometheus-node-exporter": "access.node_exporter",
    "unattended-upgrades": "access.unattended_upgrades",
}
"""Packages that a setting brings, and which."""
_RUNTIMES: Final = ("containerd", "containerd.io", "cri-o", "docker-ce", "docker.io", "moby-engine")
_CLOCKS: Final = ("ntp", "ntpsec", "openntpd", "systemd-timesyncd")


def plain_name(name: str) -> str:
    """A kernel setting by its dotted name: where the first separator is a slash, both swap
    (sysctl.d(5))."""
    first = re.search(r"[./]", name)
    if first is None or first[0] == ".":
        return name
    return name.translate(str.maketrans("./", "/."))


@reads("cluster")
def sysctls_leave_the_network_whole(stack: Stack) -> Iterator[Problem]:
    """By whatever name, one interface's or all of them, and each said once."""
    told: dict[str, str] = {}
    for given, value in stack.cluster.sysctls.items():
        name, path = plain_name(given), f"cluster.sysctls.{given}"
        earlier = told.setdefault(name, given)
        if earlier != given:
            yield problem(path, value, f"is {earlier} under another name", "say it once")
        if _FORWARDING.fullmatch(name) and value != "1":
            yield problem(path, value, "stops pods' traffic", "remove it or set 1")
        elif _STRICT.fullmatch(name) and value == "1":
            yield problem(
                path, value, "drops pods' packets that come back another way", "write 0 or 2"
            )
        elif _BRIDGED.fullmatch(name) and value != "1":
            yield problem(path, value, "hides pods' traffic from its rules", "remove it or set 1")


@reads("software", "cluster")
def node_files_are_nobody_elses(stack: Stack) -> Iterator[Problem]:
    """Each file has one writer: this program's own, the system's and packages' are theirs."""
    names = [each.name for _, each in walk(stack.software, AptRepository)]
    owned = {*OWNED, *(f"/etc/apt/sources.list.d/{name}.sources" for name in names)}
    owned |= {f"/etc/apt/keyrings/{name}.asc" for name in names}
    paths = stack.cluster.node_files
    for name in paths:
        path = f"cluster.node_files.{name}"
        folder = next((each for each in _FOLDERS if name.startswith(each)), None)
        if name in owned or _NAMED.fullmatch(name):
            yield problem(path, ABSENT, "is a file of this program's own", "write another file")
        elif name in _SYSTEMS:
            yield problem(
                path, ABSENT, "is the system's own", "add a file in its .d folder, if any"
            )
        elif folder is not None:
            yield problem(path, ABSENT, f"is in {folder}, which is not yours", _FOLDERS[folder])
        elif any(other.startswith(f"{name}/") for other in paths):
            yield problem(path, ABSENT, "is a folder of another file's", "give it another name")


@reads("cluster")
def packages_are_added_once(stack: Stack) -> Iterator[Problem]:
    """Not what the program installs, nor what would push that out."""
    extra, runtime = stack.cluster.extra_packages, stack.cluster.containerd.package
    for index, name in enumerate(extra):
        path = f"cluster.extra_packages[{index}]"
        if name in (*INSTALLED, runtime):
            yield problem(path, name, "is installed by the program, at its version", "remove it")
        elif name in BY_SETTING:
            setting = BY_SETTING[name]
            yield problem(path, name, f"is what {setting} decides", f"remove it, and set {setting}")
        elif name in _RUNTIMES:
            yield problem(
                path,
                name,
                f"is or brings another container runtime than {runtime}",
                "remove it, or name it in cluster.containerd.package",
            )
        elif name in _CLOCKS:
            yield problem(path, name, "would remove chrony, which keeps the clock", "remove it")
        elif name in extra[:index]:
            yield problem(path, name, "stands twice", "name each package once")

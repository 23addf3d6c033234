"""The Kubernetes cluster."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from settings.models.backups import Backups, Restore
from settings.models.base import (
    Epoch,
    FileText,
    Form,
    Name,
    PackageName,
    Strict,
    Unit,
    fault,
)
from settings.models.machines import MachineSpec
from settings.models.proxmox import Image
from settings.models.toml import HostsToml, Snippet

API_SERVER_PORT: Final = 6443
"""TCP, where the control planes' own API servers listen (kubeadm's default); the balancers' port
for it is a setting."""

_PRERELEASE = re.compile(r"v?(\d+\.\d+\.\d+)-(alpha|beta|rc)\b.*")
_REVISED = re.compile(r"v?(\d+\.\d+\.\d+)-[0-9][0-9A-Za-z.+~]*")


def _released(version: str) -> str:
    """A version as upstream says it, of which there are packages."""
    if (found := _PRERELEASE.fullmatch(version)) is not None:
        raise fault(
            "is a pre-release, of which there are no packages", f"write {found[1]} or later"
        )
    if (found := _REVISED.fullmatch(version)) is not None:
        right = f"write {found[1]}: the revision is cluster.package_revision"
        raise fault("has the package's revision in it", right)
    if re.fullmatch(r"v\d+\.\d+\.\d+", version):
        raise fault("has a v in front", f"write {version[1:]}")
    return version


KubernetesVersion = Annotated[
    str,
    AfterValidator(_released),
    Form(
        r"(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,4})){2}",
        "is not a full version",
        "write all three numbers such as 1.36.3",
    ),
]
"""All three numbers of a release."""

DebianVersion = Annotated[
    str,
    Form(
        r"(\d+:)?\d[0-9A-Za-z.+~-]*-[0-9A-Za-z.+~]+",
        "is no whole version of a Debian package",
        "write it with its revision, as `apt-cache policy` shows it, such as 2.4.2-1",
    ),
]
"""deb-version(7), with a revision."""

DebianRevision = Annotated[
    str,
    Form(
        r"[0-9A-Za-z.+~]+",
        "is no revision of a Debian package",
        "write what stands behind the dash, such as 1.1",
    ),
]
"""deb-version(7)."""

Flag = Annotated[
    str,
    Form(
        r"[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "is no flag of the kubelet",
        "write it in lower case without the leading dashes, such as cgroup-root",
    ),
]

FlagValue = Annotated[
    str,
    Form(
        r"""[!#%-&(-\[\]-~]*""",
        "cannot stand in the kubelet's environment file",
        "leave blanks, quotes, backslashes and dollars out",
    ),
]

SnippetName = Annotated[
    str,
    Form(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.toml",
        "is not read by containerd",
        "write a file name that ends in .toml",
    ),
]

Registry = Annotated[
    str,
    Form(
        r"_default|[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5}|_[0-9]{1,5}_)?",
        "is no registry",
        "write its host, such as docker.io or registry.example.org:5000, or _default",
    ),
]

Preflight = Annotated[
    str,
    Form(
        r"[A-Za-z0-9][A-Za-z0-9.,_-]*",
        "is no check of kubeadm",
        "write one of its names an item, such as NumCPU",
    ),
]

SysctlName = Annotated[
    str,
    Form(
        r"[a-z0-9_*][A-Za-z0-9_*:-]*([./][A-Za-z0-9_*:-]+)+",
        "is no kernel setting",
        "write its name alone, such as vm.max_map_count, and the value behind the colon",
    ),
]
"""sysctl.d(5)."""

SysctlValue = Annotated[
    str,
    Form(r"[!-~]([ -~]*[!-~])?", "is no value of a kernel setting", "write one line of ASCII"),
]


def _placed(path: str) -> str:
    right = "write one such as /etc/NAME"
    if not path.startswith("/") or path.endswith("/") or "/../" in f"{path}/":
        raise fault("is not an absolute path of a file", right)
    short = re.sub(r"/+", "/", path.replace("/./", "/"))
    if short != path:
        raise fault("is another path in disguise", f"write {short}")
    return path


FilePath = Annotated[
    str,
    AfterValidator(_placed),
    Form(
        r"(/[A-Za-z0-9@%+=:,._-]{1,255}){1,40}",
        "holds what no path of ours has",
        "write letters, digits and @%+=:,._- between the slashes",
    ),
]
"""Of a file, absolute, in one way only."""


class Kubelet(Strict):
    """Extension keys for machines that need something special."""

    extra_args: dict[Flag, FlagValue] = Field(default_factory=dict)
    """Flags without dashes. `{name}` in a value becomes the machine's name."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Merged over the KubeletConfiguration (kubelet.config.k8s.io/v1beta1)."""


class Containerd(Strict):
    """containerd and its extension keys."""

    version: DebianVersion = "2.4.2-1"
    """The Debian package's version, pinned."""
    package: PackageName = "containerd.io"
    """The Debian package's name."""
    snippets: dict[SnippetName, Snippet] = Field(default_factory=dict)
    """File name to TOML (config version 3), imported from /etc/containerd/conf.d; a later
    name wins."""
    hosts: dict[Registry, HostsToml] = Field(default_factory=dict)
    """Registry host (or `_default`) to its hosts.toml (containerd docs/hosts.md)."""


class Cluster(Strict):
    """A cluster made by kubeadm."""

    name: Name
    """The cluster's name in the kubeconfig."""
    kubernetes_version: KubernetesVersion
    """All three numbers, such as 1.36.3."""
    package_revision: DebianRevision = "1.1"
    """The Debian revision of kubeadm, kubelet and kubectl, pinned."""
    image: Image | None = None
    """What the nodes' disks start from, control planes' and workers'. Null: `proxmox.image`."""
    control_planes: list[MachineSpec] = Field(min_length=1)
    """One, three or five: each is a member of etcd."""
    unreachable: list[Name] = Field(default_factory=list)
    """Control planes that do not answer now: another one is asked in their place."""
    workers: list[MachineSpec] = Field(default_factory=list)
    """Nodes that take ordinary pods."""
    schedule_on_control_planes: bool = False
    """No taint on control planes: they take ordinary pods too."""
    node_mask: int = Field(default=24, ge=16, le=28)
    """Prefix length of each node's share of the pod range."""
    kubelet: Kubelet = Kubelet()
    """The kubelets' extension keys."""
    containerd: Containerd = Containerd()
    """The container runtime."""
    ignore_preflight_errors: list[Preflight] = Field(default_factory=list)
    """kubeadm's --ignore-preflight-errors."""
    cluster_configuration: dict[str, Any] = Field(default_factory=dict)
    """Merged over kubeadm's ClusterConfiguration; certSANs and extraArgs are joined with ours."""
    sysctls: dict[SysctlName, SysctlValue] = Field(default_factory=dict)
    """Further sysctls of every node."""
    node_files: dict[FilePath, FileText] = Field(default_factory=dict)
    """Further small text files of every node, by absolute path; no secrets."""
    extra_packages: list[PackageName] = Field(default_factory=list)
    """Further Debian packages of every node."""
    max_unavailable: int = Field(default=1, ge=1)
    """Workers that an upgrade has out at once, at most."""
    drain_seconds: Annotated[int, Unit("seconds")] = Field(default=300, ge=10, le=3600)
    """How long the pods of a node may take to leave it, their budgets respected."""
    credentials_epoch: Epoch = 1
    """Raise to mint a new administrator's kubeconfig."""
    backups: Backups | None = None
    """Null: none is taken."""
    restore: Restore | None = None
    """Of the one update that brings a lost cluster back; taken out of the stack afterwards."""

"""What differs between the distributions that machines may have: a row each, and nothing of it
stands anywhere else.

Sources: the releases' own package lists and files; ssh_config's and sshd's release notes (OpenSSH
9.8); FRR's user guide, "Daemons"; unattended-upgrades' README. `make daemons` asks the daemons
themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

DistributionName: TypeAlias = Literal["bookworm", "trixie", "noble"]
"""A release by its code name (os-release(5), VERSION_CODENAME)."""

DEFAULT_DISTRIBUTION: Final[DistributionName] = "bookworm"
"""What a machine is that nothing else is said of."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One release: what its machines are called, and what its daemons are told otherwise.

    Every template renders what a row says; none asks which distribution it is.
    """

    name: DistributionName
    family: Literal["debian", "ubuntu"]
    packages: Mapping[str, str]
    """The package that brings a daemon or a tool. The container runtime is not here: its package is
    a setting (`cluster.containerd.package`)."""
    versions: Mapping[str, str]
    """How upstream's version of a package begins, by the package's name."""
    sources: str
    """Where the image lists its package sources, beside /etc/apt/sources.list."""
    components: tuple[str, ...]
    """Those of the archive that have everything of `packages` but Kubernetes."""
    elsewhere: Mapping[str, str]
    """What of `packages` is not in the first of `components`, and in which it is."""
    security_origins: tuple[str, ...]
    """Where security updates come from (unattended-upgrades, Origins-Pattern)."""
    upgrades_lists: tuple[str, ...]
    """unattended-upgrades' own lists of origins, which add up with ours unless they are cleared."""
    frr_always: tuple[str, ...]
    """FRR's daemons that are started whatever /etc/frr/daemons says."""
    bird_password: tuple[str, ...]
    """What BIRD is told of a BGP session beside its password (BIRD user's guide, 6.3)."""
    sshd: tuple[str, ...]
    """Lines for keywords of sshd_config(5) that this release's sshd needs and an older one
    refuses."""
    memory: int
    """MiB that its image asks for, whatever the machine's role."""


_PACKAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bird": "bird2",
        "certbot": "certbot",
        "certbot-dns-cloudflare": "python3-certbot-dns-cloudflare",
        "chrony": "chrony",
        "conntrack": "conntrack",
        "conntrackd": "conntrackd",
        "frr": "frr",
        "frr-pythontools": "frr-pythontools",
        "haproxy": "haproxy",
        "keepalived": "keepalived",
        "kubeadm": "kubeadm",
        "kubectl": "kubectl",
        "kubelet": "kubelet",
        "nftables": "nftables",
        "node-exporter": "prometheus-node-exporter",
        "rsyslog": "rsyslog",
        "rsyslog-gnutls": "rsyslog-gnutls",
        "unattended-upgrades": "unattended-upgrades",
    }
)

_DEBIAN_SECURITY: Final = (
    "origin=Debian,codename=${distro_codename}-security,label=Debian-Security",
)

DISTRIBUTIONS: Final[Mapping[DistributionName, Distribution]] = MappingProxyType(
    {
        "bookworm": Distribution(
            name="bookworm",
            family="debian",
            packages=_PACKAGES,
            versions={
                "bird2": "2.0.12",
                "chrony": "4.3",
                "conntrackd": "1.4.7",
                "frr": "8.4",
                "haproxy": "2.6",
                "keepalived": "2.2.7",
                "nftables": "1.0.6",
                "openssh-server": "9.2",
                "prometheus-node-exporter": "1.5",
                "systemd": "252",
            },
            sources="/etc/apt/sources.list.d/debian.sources",
            components=("main",),
            elsewhere={},
            security_origins=_DEBIAN_SECURITY,
            upgrades_lists=("Origins-Pattern",),
            frr_always=("zebra", "staticd"),
            bird_password=(),
            sshd=(),
            memory=256,
        ),
        "trixie": Distribution(
            name="trixie",
            family="debian",
            packages=_PACKAGES,
            versions={
                "bird2": "2.17",
                "chrony": "4.6",
                "conntrackd": "1.4.8",
                "frr": "10.3",
                "haproxy": "3.0",
                "keepalived": "2.3.3",
                "nftables": "1.1.3",
                "openssh-server": "10.0",
                "prometheus-node-exporter": "1.9",
                "systemd": "257",
            },
            sources="/etc/apt/sources.list.d/debian.sources",
            components=("main",),
            elsewhere={},
            security_origins=_DEBIAN_SECURITY,
            upgrades_lists=("Origins-Pattern",),
            frr_always=("zebra", "mgmtd", "staticd"),
            bird_password=("authentication md5;",),
            sshd=(
                "# On by default since OpenSSH 9.8: logins that fail, from an address that this",
                "# program shares, would lock it out. A key is not guessed.",
                "PerSourcePenalties no",
            ),
            memory=256,
        ),
        "noble": Distribution(
            name="noble",
            family="ubuntu",
            packages=_PACKAGES,
            versions={
                "bird2": "2.14",
                "chrony": "4.5",
                "conntrackd": "1.4.8",
                "frr": "8.4",
                "haproxy": "2.8",
                "keepalived": "2.2.8",
                "nftables": "1.0.9",
                "openssh-server": "9.6",
                "prometheus-node-exporter": "1.7",
                "systemd": "255",
            },
            sources="/etc/apt/sources.list.d/ubuntu.sources",
            components=("main", "universe"),
            elsewhere=dict.fromkeys(
                ("bird", "certbot", "certbot-dns-cloudflare", "conntrackd", "node-exporter"),
                "universe",
            ),
            security_origins=(
                "origin=Ubuntu,archive=${distro_codename}-security",
                "origin=UbuntuESM,archive=${distro_codename}-infra-security",
                "origin=UbuntuESMApps,archive=${distro_codename}-apps-security",
            ),
            upgrades_lists=("Allowed-Origins", "Origins-Pattern"),
            frr_always=("zebra", "staticd"),
            bird_password=(),
            sshd=(),
            memory=1024,
        ),
    }
)
"""By the word of an image's `distribution`."""

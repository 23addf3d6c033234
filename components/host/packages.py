"""Where machines get software, and what its packages are called there. Pure.

Another distribution's names are one more table in `NAMES` and a word in `DISTRIBUTION`. Names only:
the agent installs with apt, and the parts' units and paths are Debian's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.host.part import Package
from settings.models import AptRepository

DISTRIBUTION = "debian"
"""The distribution of the machines, as os-release(5) has it in `ID`."""

NAMES: Mapping[str, Mapping[str, str]] = {
    "debian": {
        "bird": "bird2",
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
    },
}
"""By distribution: the package that brings a daemon or a tool. The container runtime is not here:
its package is a setting (`cluster.containerd.package`)."""


def package(
    what: str, *, version: str | None = None, hold: bool = False, distribution: str | None = None
) -> Package:
    """The package that brings the daemon or tool `what`; `version` and `hold` as in `Package`.

    Without a `distribution` it is the machines' own. `KeyError` names what the table lacks.
    """
    distribution = distribution or DISTRIBUTION
    names = NAMES[distribution]
    if what not in names:
        known = ", ".join(sorted(names))
        raise KeyError(
            f"{what}: no package of {distribution} is known for it (known: {known}); add it to "
            "NAMES in components/host/packages.py"
        )
    return Package(name=names[what], version=version, hold=hold)


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One apt repository (`man sources.list`, deb822), written to sources.list.d/NAME.sources.

    `signed_by` is the armored public key itself; `None` uses the machine's own keyring.
    """

    name: str
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...] = ()
    signed_by: str | None = None


def repositories(settings: Iterable[AptRepository | None]) -> tuple[Repository, ...]:
    """The repositories of a stack's settings; what a stack leaves out (None) is left out."""
    return tuple(
        Repository(
            name=one.name,
            uris=tuple(one.uris),
            suites=tuple(one.suites),
            components=tuple(one.components),
            signed_by=one.signed_by,
        )
        for one in settings
        if one is not None
    )

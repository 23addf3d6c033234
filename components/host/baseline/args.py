"""What a baseline is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Literal

import pulumi

from components.host.baseline.model import BaselineModel
from components.host.machine import Machine
from components.host.packages import Repository
from settings.models import Collector


@dataclass(frozen=True, kw_only=True)
class BaselineArgs:
    """`authorized_keys` are OpenSSH public keys, the run's own among them. `hosts` maps names to
    addresses for /etc/hosts. `repositories`, when not empty, replace the image's own apt sources.
    Without `ntp_servers` the clock is left to the hypervisor. `install_packages` is false where a
    baked image has what the parts ask for. `node_exporter` shows the machine's figures to the
    management network, and `readers` are addresses there that read them whoever else may.
    The journal is sent to `collector`.
    `confirm_seconds` bounds how long a mistaken sshd lasts.
    """

    machine: Machine
    authorized_keys: tuple[pulumi.Input[str], ...]
    repositories: tuple[Repository, ...] = ()
    resolvers: tuple[str, ...] = ()
    domain: str | None = None
    ntp_servers: tuple[str, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)
    journal_mebibytes: int = 200
    automatic_upgrades: Literal["off", "security"] = "off"
    node_exporter: bool = False
    readers: tuple[IPv4Address, ...] = ()
    collector: Collector | None = None
    install_packages: bool = True
    confirm_seconds: int = 60
    epoch: str = "1"

    def model(self) -> BaselineModel:
        """What is known before anything is made; the authorized keys arrive late."""
        connection = self.machine.connection
        return BaselineModel(
            name=self.machine.name,
            addresses=self.machine.addresses,
            interfaces=self.machine.interfaces,
            ssh_user=connection.user,
            ssh_address=connection.host,
            ssh_port=connection.port,
            hosts=self.hosts,
            domain=self.domain,
            resolvers=self.resolvers,
            ntp_servers=self.ntp_servers,
            repositories=self.repositories,
            journal_mebibytes=self.journal_mebibytes,
            automatic_upgrades=self.automatic_upgrades,
            node_exporter=self.node_exporter,
            readers=self.readers,
            collector=self.collector,
            install_packages=self.install_packages,
            distribution=self.machine.distribution,
        )

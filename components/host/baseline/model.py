"""The baseline of one machine as plain values, which its parts are made from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from typing import Literal

from components.host.packages import Repository
from settings.models import Collector, Distribution


@dataclass(frozen=True, kw_only=True)
class BaselineModel:
    """`addresses` are the machine's own by network (management, lan, wan, sync), `interfaces` the
    names of its legs by network. `ssh_user`, `ssh_address` and `ssh_port` are how this program logs
    in. `hosts` maps names of machines to
    addresses. The rest is as in `BaselineArgs`.
    """

    name: str
    addresses: Mapping[str, IPv4Interface]
    interfaces: Mapping[str, str]
    ssh_user: str
    ssh_address: str
    ssh_port: int
    hosts: Mapping[str, str]
    domain: str | None
    resolvers: tuple[str, ...]
    ntp_servers: tuple[str, ...]
    repositories: tuple[Repository, ...]
    journal_mebibytes: int
    automatic_upgrades: Literal["off", "security"]
    node_exporter: bool
    readers: tuple[IPv4Address, ...]
    collector: Collector | None
    install_packages: bool
    distribution: Distribution

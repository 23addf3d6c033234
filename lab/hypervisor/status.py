"""What the Proxmox cluster says of itself: its state, and what a stack needs to use it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a stack needs to use the cluster. `api_token` and `ssh_private_key` are secrets."""

    endpoint: str
    api_token: str
    ssh_private_key: str
    certificate: str


@dataclass(frozen=True, kw_only=True)
class HostStatus:
    """One Proxmox host: whether its API and its SSH answer."""

    name: str
    address: str
    api: bool
    ssh: bool

    @property
    def ok(self) -> bool:
        return self.api and self.ssh


@dataclass(frozen=True, kw_only=True)
class MachineStatus:
    """One virtual machine. `uptime` in seconds, `memory` in bytes, both 0 when it is off."""

    vmid: int
    name: str
    host: str
    running: bool
    pid: int | None
    uptime: float
    memory: int
    boots: int


@dataclass(frozen=True, kw_only=True)
class Status:
    """The cluster's state."""

    hosts: tuple[HostStatus, ...]
    machines: tuple[MachineStatus, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

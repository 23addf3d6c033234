"""One machine, whatever its role."""

from __future__ import annotations

from pydantic import Field

from settings.models.addresses import Address
from settings.models.base import Name, Strict


class MachineSpec(Strict):
    """One virtual machine. Its legs stand on the networks its role has."""

    name: Name
    """Host name and resource name: a change replaces the machine."""
    host: Name
    """The Proxmox host it stands on."""
    vm_id: int = Field(ge=100, le=999_999_999)
    """The Proxmox id, unique in the Proxmox cluster."""
    cores: int = Field(default=2, ge=1, le=256)
    """Virtual CPUs."""
    memory: int = Field(default=2048, ge=256)
    """MiB."""
    disk: int = Field(default=16, ge=4)
    """GiB."""
    management: Address
    """Address on the management segment."""
    lan: Address
    """Address on the LAN."""
    wan: Address | None = None
    """A router's own address on the WAN, beside the VIP; nobody else has one."""
    sync: Address | None = None
    """A router's address on the sync segment; needed by both of a pair."""

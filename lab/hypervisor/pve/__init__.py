"""The Proxmox VE API of the lab: `fakepve` with machines, disks and files behind it."""

from lab.hypervisor.pve.server import LabPve

__all__ = ["LabPve"]

"""Machines on Proxmox: images, cloud-init, placement, readiness."""

from components.machines.args import DeployKey, MachinesArgs
from components.machines.component import Machines
from components.machines.machine import VirtualMachine, VirtualMachineArgs
from components.machines.provider import proxmox_provider

__all__ = [
    "DeployKey",
    "Machines",
    "MachinesArgs",
    "VirtualMachine",
    "VirtualMachineArgs",
    "proxmox_provider",
]

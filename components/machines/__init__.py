"""Machines on Proxmox: images, cloud-init, placement, readiness."""

from components.machines.args import DeployKey, MachinesArgs
from components.machines.component import Machines
from components.machines.machine import VirtualMachine, VirtualMachineArgs
from components.machines.provider import proxmox_provider
from components.machines.restarts import Restarts, RestartsArgs

__all__ = [
    "DeployKey",
    "Machines",
    "MachinesArgs",
    "Restarts",
    "RestartsArgs",
    "VirtualMachine",
    "VirtualMachineArgs",
    "proxmox_provider",
]

"""Machines: told apart, and of a size that their role can live with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings.checks.claims import machines, standing
from settings.checks.registry import doubts, reads
from settings.models.distributions import Distribution
from settings.models.machines import MachineSpec
from settings.models.stack import SECTIONS, Stack
from settings.problems import Problem, problem

_SMALLEST: Final = {
    "router": (384, 4),
    "balancer": (256, 4),
    "control plane": (1700, 12),
    "worker": (1024, 12),
}
"""MiB of memory and GiB of disk by role. kubeadm asks a control plane for 1700 MB and two CPUs; a
node's disk holds the system, the runtime, Cilium's and the ingress' images."""
_KUBEADM_CORES = 2
_LARGE_MEMORY, _LARGE_DISK = 524_288, 8_192
"""MiB, GiB: seldom meant."""


@reads()
def machines_are_told_apart(stack: Stack) -> Iterator[Problem]:
    """Names are unique across all machines, and Proxmox ids."""
    names: dict[str, str] = {}
    numbers: dict[int, str] = {}
    for path, _, spec in standing(stack):
        earlier = names.setdefault(spec.name, path)
        if earlier != path:
            yield problem(
                f"{path}.name",
                spec.name,
                f"names {earlier} already",
                "give each machine a name of its own",
            )
    for path, _, machine in machines(stack):
        holder = numbers.setdefault(machine.vm_id, path)
        if holder != path:
            yield problem(
                f"{path}.vm_id",
                machine.vm_id,
                f"is the id of {holder} already",
                f"give {machine.name} an id of its own",
            )


@reads()
def machines_are_large_enough(stack: Stack) -> Iterator[Problem]:
    """Memory and disk by role, memory by the image too, and kubeadm's own preflight unless the
    stack ignores it."""
    ignored = _ignored(stack)
    for path, role, spec in machines(stack):
        memory, disk = _SMALLEST[role]
        what = role
        if (row := _row(stack, role, spec)) is not None and row.memory > memory:
            memory, what = row.memory, f"{role} of {row.name}"
        node = role in ("control plane", "worker")
        if spec.memory < memory and not (node and ignored & {"all", "mem"} and spec.memory >= 512):
            yield problem(
                f"{path}.memory",
                f"{spec.memory} MiB",
                f"is too little for a {what}",
                f"give {spec.name} {memory} at least{_gibibytes(spec.memory)}",
            )
        if spec.disk < disk:
            yield problem(
                f"{path}.disk",
                f"{spec.disk} GiB",
                f"is too little for a {role}",
                f"give {spec.name} {disk} at least",
            )
        enough = role != "control plane" or ignored & {"all", "numcpu"}
        if spec.cores < _KUBEADM_CORES and not enough:
            yield problem(
                f"{path}.cores",
                spec.cores,
                "is too few for kubeadm",
                f"give {spec.name} {_KUBEADM_CORES} at least",
            )


def _row(stack: Stack, role: str, spec: MachineSpec) -> Distribution | None:
    """What a machine is, if the sections that say so are there."""
    role = role.replace(" ", "_")
    there = {"proxmox", SECTIONS[role]} <= stack.__dict__.keys()
    return stack.distribution(role, spec) if there else None


def _ignored(stack: Stack) -> set[str]:
    """kubeadm's checks that are passed over, in lower case as kubeadm has them."""
    if "cluster" not in stack.__dict__:
        return {"all"}
    given = ",".join(stack.cluster.ignore_preflight_errors).lower()
    return {each.strip() for each in given.split(",")}


def _gibibytes(number: int) -> str:
    return f": {number} GiB are {number * 1024}" if number <= 128 else ""


@doubts()
def machines_are_of_ordinary_size(stack: Stack) -> Iterator[Problem]:
    """Another unit may have been meant."""
    for path, _, spec in machines(stack):
        for key, number, unit, most in (
            ("memory", spec.memory, "MiB", _LARGE_MEMORY),
            ("disk", spec.disk, "GiB", _LARGE_DISK),
        ):
            if number > most:
                yield problem(
                    f"{path}.{key}",
                    f"{number} {unit}",
                    "is seldom meant",
                    f"write {number // 1024} if {number} is of the next smaller unit",
                )

"""Cross-field sense of the machines, before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from components.machines.legs import legs
from settings.models import MachineSpec, Networks, Proxmox

IMPORTABLE = (".qcow2", ".raw")
"""Disk images Proxmox imports through its API (content type `import`)."""


def verify(
    machines: Sequence[tuple[str, MachineSpec]],
    networks: Networks,
    proxmox: Proxmox,
    lan_gateway: IPv4Address,
) -> list[str]:
    """Every problem, as one sentence each; empty when the machines make sense."""
    problems: list[str] = []
    hosts = {host.name for host in proxmox.hosts}
    names: dict[str, str] = {}
    ids: dict[int, str] = {}
    for role, spec in machines:
        if spec.name in names:
            problems.append(f"{spec.name}: two machines have this name; names must differ")
        names[spec.name] = role
        if spec.vm_id in ids:
            problems.append(
                f"{spec.name}: vm_id {spec.vm_id} is also {ids[spec.vm_id]}'s; ids must differ"
            )
        ids.setdefault(spec.vm_id, spec.name)
        if spec.host not in hosts:
            known = ", ".join(sorted(hosts))
            problems.append(
                f"{spec.name}: host {spec.host} is not among the Proxmox hosts ({known})"
            )
        if role == "router" and spec.wan is None:
            problems.append(f"{spec.name}: a router needs its own address on the WAN")
        if role != "router" and spec.wan is not None:
            problems.append(f"{spec.name}: only routers stand on the WAN; leave `wan` out")
        try:
            legs(spec, role, networks, lan_gateway)
        except ValueError as error:
            problems.append(str(error))
    image = proxmox.image.file_name
    if not image.endswith((*IMPORTABLE, ".img")):
        problems.append(
            f"proxmox.image.file_name: {image} is no disk image; Proxmox imports "
            f"{' and '.join(IMPORTABLE)} (content type import), or .img (content type iso)"
        )
    return problems

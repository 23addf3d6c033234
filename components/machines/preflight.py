"""What a Proxmox cluster must have before the first machine is made, asked of its API.

Every lack is named at once, each with what would put it right. Sources: the Proxmox VE API
viewer (paths and required permissions) and the Proxmox VE administration guide, "Permissions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from components.machines.api import Api, ApiTrouble
from components.machines.legs import ORDER
from settings.models import MachineSpec, Networks, Proxmox, Segment

VM_PRIVILEGES = (
    *("VM.Allocate", "VM.Audit", "VM.PowerMgmt", "VM.Config.CDROM", "VM.Config.CPU"),
    *("VM.Config.Cloudinit", "VM.Config.Disk", "VM.Config.HWType", "VM.Config.Memory"),
    *("VM.Config.Network", "VM.Config.Options"),
)
DISK_PRIVILEGES = ("Datastore.AllocateSpace", "Datastore.Audit")
FILE_PRIVILEGES = (
    *("Datastore.Allocate", "Datastore.AllocateSpace"),
    *("Datastore.AllocateTemplate", "Datastore.Audit"),
)
"""`Datastore.Allocate` is what Proxmox asks for reading a storage's definition (where snippets go)
and for deleting a file."""

MOVE_PRIVILEGES = {"/vms": "VM.Migrate", "/": "Sys.Audit"}
"""What moving a machine to another host takes beside: the provider asks whether it is under
Proxmox' HA first (GET /cluster/ha/resources), which is a question about the whole cluster."""

OWN_DISKS = ("scsi0", "ide2")
"""The disk, and the cloud-init drive, of a machine of this program."""
_DISK = re.compile(r"(scsi|virtio|sata|ide)\d+")

Get = Callable[..., Any]
"""`get(path, **parameters)`: the `data` of one answer of the API."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A machine the stack wants: an id that must be free, or already this machine's; `segments`
    are the networks it stands on."""

    name: str
    host: str
    vm_id: int
    segments: frozenset[str]


def planned(machines: Iterable[tuple[str, MachineSpec]]) -> list[Planned]:
    """What the preflight must know of a stack's machines."""
    return [
        Planned(
            name=spec.name,
            host=spec.host,
            vm_id=spec.vm_id,
            segments=frozenset(each for each in ORDER if getattr(spec, each) is not None),
        )
        for _, spec in machines
    ]


def check(
    proxmox: Proxmox, networks: Networks, planned: Sequence[Planned], token: str
) -> list[str]:
    """Every lack of the Proxmox cluster for these machines, as sentences; empty when ready."""
    with requests.Session() as session:
        api = Api(proxmox.endpoint, token, not proxmox.insecure, session)
        try:
            api.get("/version")
        except ApiTrouble as trouble:
            return [str(trouble)]
        return lacks(api.get, proxmox, networks, planned)


def lacks(get: Get, proxmox: Proxmox, networks: Networks, planned: Sequence[Planned]) -> list[str]:
    """The checks themselves, over any reader of the API."""
    found: list[str] = []
    wanted = sorted({machine.host for machine in planned})
    bridges = _bridges(networks, planned)
    try:
        states = {str(node["node"]): str(node.get("status")) for node in get("/nodes")}
    except ApiTrouble as trouble:
        return [str(trouble)]
    for host in wanted:
        if host not in states:
            known = ", ".join(sorted(states)) or "none"
            found.append(f"host {host}: the cluster has no such node (it has: {known})")
        elif states[host] != "online":
            found.append(f"host {host}: the node is {states[host]}; bring it online first")
        else:
            found += _host_lacks(get, host, proxmox, bridges)
    found += _privilege_lacks(get, wanted, proxmox, bridges)
    found += _vm_lacks(get, planned)
    return found


def _bridges(networks: Networks, planned: Iterable[Planned]) -> list[str]:
    """Of the segments that machines stand on: where all routers are physical, no WAN."""
    stood_on = frozenset[str]().union(*(machine.segments for machine in planned))
    segments: list[Segment] = [getattr(networks, each) for each in ORDER if each in stood_on]
    return sorted({segment.bridge for segment in segments})


def _host_lacks(get: Get, host: str, proxmox: Proxmox, bridges: Iterable[str]) -> list[str]:
    found: list[str] = []
    try:
        present = {str(each["iface"]) for each in get(f"/nodes/{host}/network", type="any_bridge")}
        for bridge in bridges:
            if bridge not in present:
                known = ", ".join(sorted(present)) or "none"
                found.append(
                    f"host {host}: no bridge {bridge} (it has: {known}); make it under the "
                    "node's System > Network, or name another in networks"
                )
    except ApiTrouble as trouble:
        found.append(f"host {host}: its bridges cannot be read: {trouble}")
    try:
        stores = {str(each["storage"]): each for each in get(f"/nodes/{host}/storage")}
    except ApiTrouble as trouble:
        return [*found, f"host {host}: its storages cannot be read: {trouble}"]
    for storage, needs in sorted(contents(proxmox).items()):
        store = stores.get(storage)
        if store is None:
            known = ", ".join(sorted(stores)) or "none"
            found.append(f"host {host}: no storage {storage} (it has: {known})")
            continue
        if not int(store.get("enabled", 1)) or not int(store.get("active", 1)):
            found.append(f"host {host}: storage {storage} is not active; enable it first")
        enabled = {part.strip() for part in str(store.get("content", "")).split(",")}
        missing = sorted(needs - enabled)
        if missing:
            found.append(
                f"host {host}: storage {storage} does not take {', '.join(missing)}; enable it "
                "under Datacenter > Storage > Content"
            )
    return found


def contents(proxmox: Proxmox) -> dict[str, set[str]]:
    """The content types each storage must be enabled for."""
    stores = proxmox.datastores
    kind = "iso" if proxmox.image.file_name.endswith(".img") else "import"
    needs: dict[str, set[str]] = {}
    for storage, content in (
        (stores.images, kind),
        (stores.snippets, "snippets"),
        (stores.disks, "images"),
    ):
        needs.setdefault(storage, set()).add(content)
    return needs


def _privilege_lacks(
    get: Get, hosts: Iterable[str], proxmox: Proxmox, bridges: Iterable[str]
) -> list[str]:
    stores = proxmox.datastores
    needs: dict[str, set[str]] = {"/vms": set(VM_PRIVILEGES)}
    for storage, privileges in (
        (stores.disks, DISK_PRIVILEGES),
        (stores.images, FILE_PRIVILEGES),
        (stores.snippets, FILE_PRIVILEGES),
    ):
        needs.setdefault(f"/storage/{storage}", set()).update(privileges)
    for bridge in bridges:
        needs[f"/sdn/zones/localnetwork/{bridge}"] = {"SDN.Use"}
    found: list[str] = []
    try:
        for path, wanted in sorted(needs.items()):
            missing = sorted(wanted - _granted(get, path))
            if missing:
                found.append(_privilege_lack(path, missing))
        # Downloading an image lets one probe the node's network: see download-url's permissions.
        if not {"Sys.Audit", "Sys.Modify"} <= _granted(get, "/"):
            for host in hosts:
                if "Sys.AccessNetwork" not in _granted(get, f"/nodes/{host}"):
                    found.append(_privilege_lack(f"/nodes/{host}", ["Sys.AccessNetwork"]))
    except ApiTrouble as trouble:
        found.append(f"the token's privileges cannot be read: {trouble}")
    return found


def _privilege_lack(path: str, missing: Sequence[str]) -> str:
    return (
        f"the token lacks {', '.join(missing)} on {path}; give its role these privileges under "
        "Datacenter > Permissions"
    )


def _granted(get: Get, path: str) -> set[str]:
    answer: Mapping[str, Mapping[str, Any]] = get("/access/permissions", path=path)
    return {name for name, value in answer.get(path, {}).items() if value is not None}


def _vm_lacks(get: Get, planned: Iterable[Planned]) -> list[str]:
    """Ids that are others' machines', and what a move of ours to another host takes."""
    try:
        taken = {int(vm["vmid"]): vm for vm in get("/cluster/resources", type="vm")}
    except ApiTrouble as trouble:
        return [f"the ids in use cannot be read: {trouble}"]
    found: list[str] = []
    for machine in planned:
        other = taken.get(machine.vm_id)
        if other is None:
            continue
        if other.get("name") != machine.name:
            found.append(
                f"{machine.name}: vm_id {machine.vm_id} is taken by {other.get('name', '?')} on "
                f"{other.get('node', '?')}; choose a free id"
            )
        elif other.get("node") not in (None, machine.host):
            found += _move_lacks(get, machine, str(other["node"]))
    return found


def _move_lacks(get: Get, machine: Planned, host: str) -> list[str]:
    """Asked for who moves only: a token may lack the privileges while nobody does."""
    moving = f"{machine.name} stands on {host} and is to stand on {machine.host}"
    try:
        found = [
            f"{moving}: {_privilege_lack(path, [privilege])}"
            for path, privilege in MOVE_PRIVILEGES.items()
            if privilege not in _granted(get, path)
        ]
        others = _others_disks(get(f"/nodes/{host}/qemu/{machine.vm_id}/config"))
    except ApiTrouble as trouble:
        return [f"{moving}: {trouble}"]
    if others:
        found.append(
            f"{moving}: its {', '.join(others)} would go along, and whoever attached that looks "
            "for it where it was; name a node in maintenance.machines in an update before, which "
            "takes the volumes of its pods off it, or detach what you gave it yourself"
        )
    return found


def _others_disks(config: Mapping[str, Any]) -> list[str]:
    """The disks of a VM beside the one and the cloud-init drive that this program gives it."""
    return sorted(key for key in config if _DISK.fullmatch(key) and key not in OWN_DISKS)

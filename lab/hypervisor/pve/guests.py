"""Guests: made, configured, resized, destroyed.

`fakepve` brings Proxmox VE's validation, texts, locks and tasks; here stands what it only
pretends: disks that hold an image, a cloud-init drive with a name, bridges that must be allowed.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from typing import Any

from lab.hypervisor import seed, vmconfig
from lab.hypervisor.pve.base import (
    DRIVE_KEY,
    NEW_DISK,
    FakeVm,
    PveError,
    TaskError,
    die,
    format_size,
    join_drive,
    ok,
    param_error,
    split_drive,
    with_mac,
)
from lab.hypervisor.pve.power import LabPower

MIB = 1 << 20
GIB = 1 << 30
CLOUD_INIT_KEYS = re.compile(
    r"^(ci(user|password|type|custom|upgrade)|sshkeys|nameserver|searchdomain|ipconfig\d+)$"
)
NUMBERS = frozenset({"cores", "sockets", "vcpus", "cpuunits", "balloon", "shares"})
"""What PVE answers as numbers, whatever a form wrote."""
OPTION_KEYS = frozenset({"ostype", "tablet", "hotplug", "acpi", "kvm", "serial0", "boot"})
MIGRATE_SECONDS = 1
CLOUD_INIT_BYTES = 4 * MIB
IMPORTABLE = ("images", "import", "iso")
SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """Bytes of a drive size like `8G` or `3584M`; raises PVE's parameter error."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    if not match:
        raise param_error(size=f"unable to parse size '{text}'")
    return int(float(match.group(1)) * SIZES[match.group(2)])


class LabGuests(LabPower):
    """Guests whose disks hold something."""

    # ---------------------------------------------------------- create, destroy

    def _qm_check_drive(  # noqa: PLR0917 - fakepve's signature
        self, user: str, vmid: int, pool: Any, key: str, value: Any, default: Any
    ) -> None:
        _, props = split_drive(value)
        if "import-from" in props:
            self._check_source(user, key, props["import-from"])
        super()._qm_check_drive(user, vmid, pool, key, value, default)

    def _check_source(self, user: str, key: str, source: str) -> None:
        storage, _, name = source.partition(":")
        store = self._store(storage)
        kind, owner, _ = self._parse_volname(store, name)
        self._check_access(user, storage, kind, owner, source)
        if kind not in IMPORTABLE:
            reason = f"{source} has wrong type '{kind}' - needs to be 'images' or 'import'"
            raise param_error(**{key: reason})

    def _qm_new_drive(self, vmid: int, key: str, value: Any, default: Any) -> Any:
        volume, props = split_drive(value)
        props = dict(props)
        if volume.endswith(":cloudinit"):
            return self._cloudinit_drive(vmid, volume.rpartition(":")[0] or default, props)
        source = props.pop("import-from", None)
        if source is None:
            return super()._qm_new_drive(vmid, key, value, default)
        storage, _, name = source.partition(":")
        origin = self._volumes(storage).get(name)
        if origin is None:
            raise die(f"volume '{source}' does not exist")
        origin_source = origin.get("source") or source
        found = NEW_DISK.match(volume)
        wanted = parse_size(props.pop("size")) if "size" in props else 0
        if found and float(found.group(2)):
            wanted = wanted or int(float(found.group(2)) * GIB)
        target = (found.group(1) if found else None) or default
        size = max(wanted, int(origin.get("size") or 0))
        volid, _ = self._qm_alloc(target, vmid, props.pop("format", None), size)
        self._qm_volume(volid)["source"] = origin_source
        props["size"] = format_size(size)
        return join_drive(volid, props), [volid]

    def _cloudinit_drive(self, vmid: int, storage: str, props: dict[str, str]) -> Any:
        """PVE names the drive itself, and lists it as a CD-ROM from then on."""
        store = self._store(storage)
        directory = store.get("type") == "dir"
        name = f"{vmid}/vm-{vmid}-cloudinit.qcow2" if directory else f"vm-{vmid}-cloudinit"
        store.setdefault("volumes", {})[name] = {
            "content": "images",
            "format": "qcow2" if directory else "raw",
            "size": CLOUD_INIT_BYTES,
            "vmid": vmid,
            "ctime": 0,
        }
        props.pop("format", None)
        props["media"] = "cdrom"
        return join_drive(f"{storage}:{name}", props), [f"{storage}:{name}"]

    async def _config_get(self, request: Any) -> Any:
        answer = await super()._config_get(request)
        # "with pending configuration changes applied" unless `current` is asked for (PVE's schema).
        if request.query.get("current", "0") not in ("0", ""):
            return answer
        config = json.loads(answer.text)["data"]
        for key, value in self._vm(request, "VM.Audit").pending.items():
            if value is None:
                config.pop(key, None)
            else:
                config[key] = str(value) if key == "memory" else value
        return ok(config)

    async def _qm_create(self, v: dict[str, Any], user: str) -> Any:
        for key in sorted(v):
            if vmconfig.NET_KEY.match(key):
                self._check_bridge(user, key, str(v[key]))
        # fakepve would mark the guest as running by itself: here starting is a task of its own.
        start = v.pop("start", None)
        upid = await super()._qm_create(v, user)
        if start:
            asyncio.ensure_future(self._start_when_made(int(v["vmid"]), user, upid))  # noqa: RUF006
        return upid

    async def _start_when_made(self, vmid: int, user: str, upid: str) -> None:
        while self.tasks[upid]["status"] == "running":
            await asyncio.sleep(0.05)
        vm = self.vm(vmid)
        if vm is not None and self.tasks[upid].get("exitstatus") == "OK":
            await self._do_start(vm, user, {})

    def _check_bridge(self, user: str, key: str, value: str) -> None:
        try:
            nic = vmconfig.nic(int(key[3:]), with_mac(value))
        except vmconfig.ConfigError as err:
            raise param_error(**{key: str(err)}) from err
        self.require(user, f"/sdn/zones/localnetwork/{nic.bridge}", "SDN.Use")

    async def _qm_destroy(self, v: dict[str, Any], user: str) -> Any:
        vm = self.find(v["node"], v["vmid"])
        self.sync()
        if vm.status == "running":
            raise PveError(500, f"VM {vm.vmid} is running - destroy failed")
        if vm.config.get("protection") not in (1, "1", True) and not vm.lock:
            await self._drive(self.driver.destroy, vm.vmid)
        return await super()._qm_destroy(v, user)

    # ------------------------------------------------------------- configure

    def _config_priv(self, key: str) -> str:
        if CLOUD_INIT_KEYS.match(key):
            return "VM.Config.Cloudinit"
        if key in OPTION_KEYS:
            return "VM.Config.Options"
        return str(super()._config_priv(key))

    async def _apply_config(self, vm: Any, user: str, p: dict[str, Any]) -> None:
        changes = dict(p)
        for key in sorted(changes):
            if DRIVE_KEY.match(key):
                changes[key] = self._changed_drive(vm, user, key, str(changes[key]))
            elif vmconfig.NET_KEY.match(key):
                self._check_bridge(user, key, str(changes[key]))
                changes[key] = with_mac(changes[key])
            elif key in NUMBERS and str(changes[key]).isdigit():
                changes[key] = int(changes[key])
        await super()._apply_config(vm, user, changes)

    def _changed_drive(self, vm: Any, user: str, key: str, value: str) -> str:
        volume, _ = split_drive(value)
        have, _ = split_drive(str(vm.config.get(key, "")))
        if volume.endswith(":cloudinit") and "-cloudinit" in have:
            storage = volume.partition(":")[0]
            if have.partition(":")[0] == storage:
                return f"{have},media=cdrom"
        if volume == have or volume in ("none", "cdrom"):
            return value
        self._qm_check_drive(user, vm.vmid, None, key, value, None)
        made, _ = self._qm_new_drive(vm.vmid, key, value, None)
        return str(made)

    def _routes_lab_guests(self) -> list[tuple[str, str, Any]]:
        one = "/nodes/{node}/qemu/{vmid}"
        return [
            ("PUT", one + "/resize", self._resize),
            ("GET", one + "/cloudinit/dump", self._cloudinit_dump),
            ("POST", one + "/migrate", self._migrate),
            ("GET", "/cluster/ha/resources/{sid}", self._ha_resource),
            ("POST", one + "/move_disk", self._unsupported("moving a disk")),
        ]

    async def _resize(self, v: dict[str, Any], user: str) -> Any:
        vm = self.find(v["node"], v["vmid"])
        self._check_lock(vm)
        key = v["disk"]
        if key not in vm.config:
            raise die(f"disk '{key}' does not exist")
        volume, props = split_drive(str(vm.config[key]))
        have = parse_size(props.get("size", "0"))
        text = str(v["size"])
        size = have + parse_size(text[1:]) if text.startswith("+") else parse_size(text)
        if size < have:
            raise die("shrinking disks is not supported")

        async def body() -> None:
            vm.config[key] = join_drive(volume, {**props, "size": format_size(size)})
            self._qm_volume(volume)["size"] = size

        return await self.task(vm.node, "resize", vm.vmid, user, body, vm=vm)

    async def _migrate(self, v: dict[str, Any], user: str) -> Any:
        """The machine goes on running: hosts of the lab are one machine's, disks included."""
        vm, target = self.find(v["node"], v["vmid"]), str(v["target"])
        self.require(user, f"/vms/{vm.vmid}", "VM.Migrate")
        if target == vm.node:
            raise param_error(target="target is local node.")
        if target not in self.nodes:
            raise die(f"no such cluster node '{target}'")
        self._check_lock(vm)
        self.sync()
        if vm.status == "running" and str(v.get("online", "0")) in ("0", ""):
            raise die("can't migrate running VM without --online")
        return await self.migrate(vm.vmid, target, MIGRATE_SECONDS, user)

    async def _ha_resource(self, v: dict[str, Any], user: str) -> Any:
        """No machine of the lab is under HA."""
        self.require(user, "/", "Sys.Audit")
        raise die(f"no such resource '{v['sid']}'")

    async def _cloudinit_dump(self, v: dict[str, Any], user: str) -> str:
        vm = self.find(v["node"], v["vmid"])
        try:
            data = seed.build(vm.config, vm.vmid, functools.partial(self.snippet, vm.node))
        except (vmconfig.ConfigError, TaskError) as err:
            raise die(str(err)) from err
        if data is None:
            raise die("cloudinit is not configured")
        return {"user": data.user_data, "network": data.network_config}.get(
            v["type"], data.meta_data
        )

    async def _qm_clone(self, v: dict[str, Any], user: str) -> Any:
        raise PveError(501, "cloning is not supported by this lab; create the disk by import-from")

    async def _qm_template(self, v: dict[str, Any], user: str) -> Any:
        raise PveError(501, "templates are not supported by this lab; import the image instead")

    async def _qm_snapshot(self, v: dict[str, Any], user: str) -> Any:
        raise PveError(501, "snapshots are not supported by this lab")

    async def _qm_rollback(self, v: dict[str, Any], user: str) -> Any:
        raise PveError(501, "snapshots are not supported by this lab")

    @staticmethod
    def _unsupported(what: str) -> Any:
        async def refuse(v: dict[str, Any], user: str) -> Any:
            raise PveError(501, f"{what} is not supported by this lab")

        return refuse


def restore(data: dict[str, Any]) -> Any:
    """A guest from its stored form."""
    vm = FakeVm(data["vmid"], data["name"], node=data["node"], config=data["config"])
    vm.config = dict(data["config"])
    vm.pending = dict(data["pending"])
    vm.lock = data["lock"]
    return vm

"""Power: a guest's configuration turned into a machine that boots, and buttons that work."""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import Callable
from typing import Any

from lab.hypervisor import images, seed, vmconfig
from lab.hypervisor.pve.base import PveError, TaskError
from lab.hypervisor.pve.storage import LabStorage
from lab.hypervisor.spec import Driver, MachineError, MachineSpec, NicSpec

MIB = 1 << 20
SHUTDOWN_SECONDS = 60


class LabPower(LabStorage):
    """Guests that boot."""

    driver: Driver

    def sync(self) -> None:
        """Take every guest's state from the machine behind it: a guest may have gone off."""
        for vm in self.vms:
            running = self.driver.running(vm.vmid)
            vm.status = vm.qmpstatus = "running" if running else "stopped"
            vm.started_at = running.started_at if running else None
            vm.stats = {}
            if running:
                vm.stats = {
                    "pid": running.supervisor.pid,
                    "mem": self.driver.memory_bytes(vm.vmid),
                }

    async def _do_start(self, vm: Any, user: str, p: dict[str, Any]) -> Any:
        async def body() -> None:
            if vm.lock:
                raise TaskError(f"VM is locked ({vm.lock})")
            if self.driver.running(vm.vmid):
                raise TaskError(f"VM {vm.vmid} already running")
            vm.apply_pending()
            await self._boot(vm)

        return await self.task(vm.node, "qmstart", vm.vmid, user, body, vm=vm)

    async def _do_stop(self, vm: Any, user: str, p: dict[str, Any]) -> Any:
        if not p.get("skiplock"):
            self._check_lock(vm)

        async def body() -> None:
            await self._drive(self.driver.stop, vm.vmid)
            vm.apply_pending()

        return await self.task(vm.node, "qmstop", vm.vmid, user, body, vm=vm)

    async def _powerdown(self, vm: Any, p: dict[str, Any]) -> str | None:
        seconds = float(p.get("timeout") or SHUTDOWN_SECONDS)
        if await self._drive(self.driver.shutdown, vm.vmid, seconds):
            vm.apply_pending()
            return None
        if str(p.get("forceStop", "0")) in ("1", "true"):
            await self._drive(self.driver.stop, vm.vmid)
            vm.apply_pending()
            return "VM still running - terminating now with SIGTERM"
        raise TaskError("VM quit/powerdown failed - got timeout")

    async def _do_reboot(self, vm: Any, user: str, p: dict[str, Any]) -> Any:
        self._need_running(vm)
        self._check_lock(vm)

        async def body() -> None:
            await self._powerdown(vm, p)
            await self._boot(vm)

        return await self.task(vm.node, "qmreboot", vm.vmid, user, body, vm=vm)

    async def _do_reset(self, vm: Any, user: str, p: dict[str, Any]) -> Any:
        self._need_running(vm)
        self._check_lock(vm)

        async def body() -> None:
            await self._drive(self.driver.reset, vm.vmid)

        return await self.task(vm.node, "qmreset", vm.vmid, user, body, vm=vm)

    async def _do_suspend(self, vm: Any, user: str, p: dict[str, Any]) -> Any:
        raise PveError(501, "suspending a machine is not supported by this lab")

    async def _boot(self, vm: Any) -> None:
        """Boot a guest by its configuration; raises `TaskError` with the reason."""
        try:
            spec, data = await asyncio.to_thread(self._plan, vm)
        except (vmconfig.ConfigError, images.ImageError) as err:
            raise TaskError(str(err)) from err
        await self._drive(self.driver.start, spec, data)

    async def _drive(self, work: Callable[..., Any], *args: Any) -> Any:
        try:
            return await asyncio.to_thread(functools.partial(work, *args))
        except MachineError as err:
            raise TaskError(str(err)) from err
        finally:
            self.sync()

    def _plan(self, vm: Any) -> tuple[MachineSpec, seed.Seed | None]:
        config = dict(vm.config)
        disk = vmconfig.boot_disk(config)
        source = self._disk_source(disk.volume) if disk else None
        if source is None:
            raise TaskError("no bootable disk: give one with import-from")
        image = self.file_path(vm.node, source)
        if not image.exists():
            raise TaskError(f"volume '{source}' does not exist")
        tree = images.unpack(image, self.settings.image_cache)
        nics = []
        for nic in vmconfig.nics(config):
            try:
                segment = self.settings.topology.segment_of(nic.bridge)
            except KeyError as err:
                raise TaskError(f"bridge '{nic.bridge}' does not exist") from err
            nics.append(
                NicSpec(
                    interface=nic.interface,
                    mac=nic.mac,
                    bridge=nic.bridge,
                    mtu=nic.mtu or segment.mtu,
                    link_up=not nic.link_down,
                )
            )
        spec = MachineSpec(
            vmid=vm.vmid,
            name=vm.name,
            uuid=_uuid(config, vm.vmid),
            image=str(tree),
            memory_bytes=_memory(config) * MIB,
            cores=int(config.get("cores", 1)) * int(config.get("sockets", 1)),
            nics=tuple(nics),
        )
        read = functools.partial(self.snippet, vm.node)
        return spec, seed.build(config, vm.vmid, read)

    def _disk_source(self, volume: str) -> str | None:
        storage, _, name = volume.partition(":")
        found = self.storages.get(storage, {}).get("volumes", {}).get(name, {}).get("source")
        return str(found) if found else None


def _memory(config: dict[str, Any]) -> int:
    """MiB of `memory`, which may be a property string (`current=2048`)."""
    bare, props = vmconfig.pairs(str(config.get("memory", 512)))
    return int(bare or props.get("current") or 512)


def _uuid(config: dict[str, Any], vmid: int) -> str:
    """The machine's SMBIOS UUID, which becomes its machine id at the first boot."""
    _, props = vmconfig.pairs(str(config.get("smbios1", "")))
    return props.get("uuid") or str(uuid.uuid5(uuid.NAMESPACE_OID, f"vm-{vmid}"))

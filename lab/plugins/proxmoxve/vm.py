"""`VmLegacy`: a virtual machine, made, changed, power-cycled and removed through the API.

Differences to the real provider are refusals by name (`vmparams.UNSUPPORTED`): no clones, no
devices that need hardware, no move of a machine or a disk from one place to another.
"""

# ruff: noqa: A002 - `id` is the protocol's own word
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from lab.plugins.proxmoxve import vmparams, vmread
from lab.plugins.proxmoxve.api import Api, ApiError
from lab.plugins.proxmoxve.power import TIMEOUTS, Power, seconds
from lab.plugins.server import (
    CheckFailed,
    Context,
    Created,
    Diff,
    PartialFailure,
    PluginError,
    Properties,
    ReadResult,
    Resource,
    has_unknown,
)

if TYPE_CHECKING:
    from lab.plugins.proxmoxve.provider import ProxmoxProvider


class VmLegacy(Resource):
    """`proxmoxve:index/vmLegacy:VmLegacy`."""

    token: ClassVar[str] = "proxmoxve:index/vmLegacy:VmLegacy"  # noqa: S105
    sdk: ClassVar[str] = "pulumi_proxmoxve:VmLegacy"
    computed: ClassVar[frozenset[str]] = frozenset(
        {"vmId", "macAddresses", "ipv4Addresses", "ipv6Addresses", "networkInterfaceNames"}
    )
    volatile: ClassVar[frozenset[str]] = frozenset(
        {"ipv4Addresses", "ipv6Addresses", "networkInterfaceNames"}
    )
    stables: ClassVar[frozenset[str]] = frozenset({"vmId"})
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {
            "amdSev",
            "clone",
            "disks[*].fileId",
            "initialization.metaDataFileId",
            "initialization.networkDataFileId",
            "initialization.type",
            "initialization.userDataFileId",
            "initialization.vendorDataFileId",
            "vmId",
        }
    )

    def __init__(self, provider: ProxmoxProvider) -> None:
        self._provider = provider

    @property
    def _api(self) -> Api:
        return self._provider.api

    @property
    def _power(self) -> Power:
        return Power(self._api)

    # ------------------------------------------------------------- plan

    def check(self, ctx: Context, olds: Properties, news: Properties) -> Properties:
        """Refuse what the stand-in does not do; raises `CheckFailed`."""
        wrong = dict(vmparams.unsupported(news))
        if wrong:
            raise CheckFailed(wrong)
        return news

    def diff(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Diff:
        """A new node replaces, unless `migrate` is on (then it is refused: see `update`)."""
        diff = super().diff(ctx, id, state, olds, news)
        if "nodeName" in diff.changes and not news.get("migrate"):
            diff.changes["nodeName"] = "update-replace"
        if news.get("vmId") is not None and str(news["vmId"]) == id:
            diff.changes.pop("vmId", None)
        return diff

    # ------------------------------------------------------------ create

    def create(self, ctx: Context, inputs: Properties) -> Created:
        """Make the machine, grow its disks, and start it unless `started` is false.

        Raises:
            ApiError: refused, with the host's own words; nothing was made.
            PartialFailure: it exists, but something after that failed.
        """
        node = inputs["nodeName"]
        vmid = int(inputs.get("vmId") or self._api.get("/cluster/nextid"))
        form = {"vmid": str(vmid), **vmparams.config(inputs)}
        for entry in inputs.get("disks") or []:
            form[entry["interface"]] = vmparams.disk(entry, create=True)
        drive = vmparams.cloudinit_drive(inputs)
        if drive:
            form[drive[0]] = drive[1]
        ctx.status(f"creating VM {vmid} on {node}")
        within = seconds(inputs, "timeoutCreate", "create")
        self._api.run(ctx, "POST", f"/nodes/{node}/qemu", "VM create", within, **form)
        try:
            for entry in inputs.get("disks") or []:
                self._grow(ctx, node, vmid, entry)
            if inputs.get("started", True):
                self._power.start(ctx, node, vmid, inputs)
                if inputs.get("reboot"):
                    self._power.reboot(ctx, node, vmid, inputs)
                self._power.wait_for_agent(ctx, node, vmid, inputs)
            return Created(id=str(vmid), outputs=self._outputs(node, vmid))
        except PluginError as error:
            outputs = {**inputs, "vmId": vmid}
            raise PartialFailure(str(vmid), outputs, [str(error)]) from error

    def preview_create(self, ctx: Context, inputs: Properties) -> Properties:
        """The number is known when the program gives it."""
        given = {"vmId": inputs["vmId"]} if inputs.get("vmId") is not None else {}
        nics = inputs.get("networkDevices")
        if nics and not has_unknown(nics) and all(nic.get("macAddress") for nic in nics):
            given["macAddresses"] = [str(nic["macAddress"]).upper() for nic in nics]
        return given

    # -------------------------------------------------------------- read

    def read(
        self, ctx: Context, id: str, state: Properties, inputs: Properties
    ) -> ReadResult | None:
        """The machine as it is; None when it is gone. An import id is `NODE/ID`."""
        node, _, number = id.rpartition("/")
        node = node or str((inputs or state)["nodeName"])
        vmid = int(number)
        try:
            config = self._api.get(f"/nodes/{node}/qemu/{vmid}/config")
            status = self._api.get(f"/nodes/{node}/qemu/{vmid}/status/current")
        except ApiError as error:
            if error.gone:
                return None
            raise
        running = status["status"] == "running"
        known = inputs or {"nodeName": node, "vmId": vmid, "name": config.get("name")}
        live = vmread.observed(known, self._with_pending(node, vmid, config), running=running)
        return ReadResult(id=str(vmid), outputs=self._outputs(node, vmid, config), inputs=live)

    # ------------------------------------------------------------ update

    def update(
        self, ctx: Context, id: str, state: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Change what can be changed in place; restarts only when `rebootAfterUpdate` says so.

        Raises:
            PluginError: a change that the stand-in does not do (migration, disk move, shrinking).
        """
        node, vmid = news["nodeName"], int(id)
        if olds.get("nodeName") != node:
            raise PluginError("migrating a machine is not supported by the stand-in plugin")
        needs_reboot = self._reconfigure(ctx, node, vmid, olds, news)
        needs_reboot |= self._change_disks(ctx, node, vmid, olds, news)
        wanted, running = news.get("started", True), self._power.running(node, vmid)
        if wanted and not running:
            self._power.start(ctx, node, vmid, news)
        elif not wanted and running:
            self._power.switch_off(ctx, node, vmid, news)
        elif running and needs_reboot:
            if news.get("rebootAfterUpdate", True):
                self._power.reboot(ctx, node, vmid, news)
            else:
                ctx.log(
                    "a reboot is required to apply configuration changes, but automatic reboots "
                    "are disabled by rebootAfterUpdate; reboot the VM manually",
                    "warning",
                )
        return self._outputs(node, vmid)

    def _reconfigure(
        self, ctx: Context, node: str, vmid: int, olds: Properties, news: Properties
    ) -> bool:
        before, after = vmparams.config(olds), vmparams.config(news)
        drives = vmparams.cloudinit_drive(olds), vmparams.cloudinit_drive(news)
        for parameters, drive in zip((before, after), drives, strict=True):
            if drive:
                parameters[drive[0]] = drive[1]
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        live = self._api.get(f"/nodes/{node}/qemu/{vmid}/config")
        gone = sorted(key for key in before if key not in after and key in live)
        if not changed and not gone:
            return False
        form = {**changed, **({"delete": ",".join(gone)} if gone else {})}
        self._retry(ctx, f"/nodes/{node}/qemu/{vmid}/config", form)
        return any(key not in vmparams.REBOOT_FREE for key in (*changed, *gone))

    def _change_disks(
        self, ctx: Context, node: str, vmid: int, olds: Properties, news: Properties
    ) -> bool:
        before = {entry["interface"]: entry for entry in olds.get("disks") or []}
        after = {entry["interface"]: entry for entry in news.get("disks") or []}
        path = f"/nodes/{node}/qemu/{vmid}/config"
        changed = False
        for interface, entry in after.items():
            old = before.get(interface)
            if old is None:
                self._retry(ctx, path, {interface: vmparams.disk(entry, create=True)})
                self._grow(ctx, node, vmid, entry)
                changed = True
                continue
            if old.get("datastoreId") != entry.get("datastoreId"):
                raise PluginError(
                    f"{interface}: moving a disk is not supported by the stand-in plugin"
                )
            if vmparams.disk_options(old) != vmparams.disk_options(entry):
                live = str(self._api.get(path)[interface])
                volume, _, rest = live.partition(",")
                size = next((p for p in rest.split(",") if p.startswith("size=")), "")
                parts = [volume, *vmparams.disk_options(entry), *([size] if size else [])]
                self._retry(ctx, path, {interface: ",".join(parts)})
                changed = True
            self._grow(ctx, node, vmid, entry)
        removed = sorted(set(before) - set(after))
        if removed:
            self._retry(ctx, path, {"delete": ",".join(removed)})
        return changed or bool(removed)

    # ------------------------------------------------------------ delete

    def delete(self, ctx: Context, id: str, state: Properties, inputs: Properties) -> None:
        """Switch it off (at once with `stopOnDestroy`) and remove it; gone is fine."""
        said = inputs or state
        node, vmid = said["nodeName"], int(id)
        try:
            if self._power.running(node, vmid):
                if said.get("stopOnDestroy"):
                    self._power.stop(ctx, node, vmid, said)
                else:
                    self._power.switch_off(ctx, node, vmid, said)
            within = max(seconds(said, "timeoutStopVm", "stop"), TIMEOUTS["shutdown"])
            self._api.run(
                ctx,
                "DELETE",
                f"/nodes/{node}/qemu/{vmid}",
                "VM delete",
                within,
                **{
                    "purge": _flag(said.get("purgeOnDestroy", True)),
                    "destroy-unreferenced-disks": _flag(
                        said.get("deleteUnreferencedDisksOnDestroy", True)
                    ),
                },
            )
        except ApiError as error:
            if not error.gone:
                raise

    # ----------------------------------------------------------- helpers

    def _grow(self, ctx: Context, node: str, vmid: int, entry: Mapping[str, Any]) -> None:
        """Grow a disk to the size that is asked for; raises `PluginError` rather than shrink."""
        interface = str(entry["interface"])
        live = str(self._api.get(f"/nodes/{node}/qemu/{vmid}/config").get(interface, ""))
        size = next((p[5:] for p in live.split(",") if p.startswith("size=")), "0")
        have, wanted = vmread.bytes_of(size), vmparams.size_of(entry) * vmread.GIB
        if have > wanted:
            raise PluginError(
                f"{interface}: disk resize failure: requested size ({vmparams.size_of(entry)}G) "
                f"is lower than current size ({size})"
            )
        if have < wanted:
            path = f"/nodes/{node}/qemu/{vmid}/resize"
            form = {"disk": interface, "size": f"{vmparams.size_of(entry)}G"}
            self._api.run(ctx, "PUT", path, "Disk resize", TIMEOUTS["create"], **form)

    def _retry(self, ctx: Context, path: str, form: Mapping[str, str]) -> None:
        self._api.run(ctx, "PUT", path, "VM update", TIMEOUTS["create"], **form)

    def _with_pending(self, node: str, vmid: int, config: Properties) -> Properties:
        """The configuration the machine will have once it restarts: what was last asked for."""
        merged = dict(config)
        for item in self._api.get(f"/nodes/{node}/qemu/{vmid}/pending"):
            if item.get("delete"):
                merged.pop(item["key"], None)
            elif "pending" in item:
                merged[item["key"]] = item["pending"]
        return merged

    def _outputs(self, node: str, vmid: int, config: Properties | None = None) -> Properties:
        live = config or self._api.get(f"/nodes/{node}/qemu/{vmid}/config")
        macs = []
        for index in range(32):
            text = str(live.get(f"net{index}", ""))
            mac = next((p.partition("=")[2] for p in text.split(",") if p.count(":") == 5), None)
            if mac:
                macs.append(mac.upper())
        # Addresses come from a guest agent; without one the provider knows none.
        none: list[Any] = []
        return {
            "vmId": vmid,
            "macAddresses": macs,
            "ipv4Addresses": none,
            "ipv6Addresses": none,
            "networkInterfaceNames": none,
        }


def _flag(value: Any) -> str:
    return "1" if value else "0"

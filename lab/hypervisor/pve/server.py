"""The cluster: two hosts, one API, its tokens and what it remembers."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from lab.hypervisor.layout import Layout
from lab.hypervisor.pve.base import PRIVILEGES, current_node
from lab.hypervisor.pve.guests import LabGuests, restore
from lab.hypervisor.pve.storage import storages
from lab.hypervisor.settings import Settings
from lab.hypervisor.spec import Driver

PORT = 8006
TOKEN_ID = "layered-cloud@pve!lab"  # noqa: S105 - its name, not its secret

VM_PRIVILEGES = (
    *("VM.Allocate", "VM.Audit", "VM.PowerMgmt", "VM.Config.CDROM", "VM.Config.CPU"),
    *("VM.Config.Cloudinit", "VM.Config.Disk", "VM.Config.HWType", "VM.Config.Memory"),
    *("VM.Config.Network", "VM.Config.Options", "VM.Migrate"),
)
STORAGE_PRIVILEGES = (
    *("Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate"),
    "Datastore.Audit",
)


def least_privileges(hosts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What the lab's token may do: path to privileges, and nothing more than the program needs.

    `Datastore.Allocate` is what reading a storage's definition and removing its files takes.
    """
    grants: dict[str, tuple[str, ...]] = {
        # Whether a machine that moves is under Proxmox' HA.
        "/": ("Sys.Audit",),
        "/vms": VM_PRIVILEGES,
        "/storage/local": STORAGE_PRIVILEGES,
        "/storage/local-lvm": STORAGE_PRIVILEGES,
        "/sdn/zones/localnetwork": ("SDN.Use",),
    }
    for host in hosts:
        grants[f"/nodes/{host}"] = ("Sys.Audit", "Sys.AccessNetwork")
    return grants


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where one host listens, and its certificate."""

    listener: socket.socket
    certificate: Path
    key: Path


class LabPve(LabGuests):
    """The API of the lab's cluster.

    Args:
        layout: where files and memory lie.
        settings: the networks, whose bridges the hosts have.
        driver: the machines behind it.
        tokens: API token id to secret.
        time_scale: real seconds per second of PVE's own pauses.
    """

    def __init__(
        self,
        layout: Layout,
        settings: Settings,
        driver: Driver,
        tokens: Mapping[str, str],
        time_scale: float = 1.0,
    ) -> None:
        super().__init__(password=os.urandom(16).hex())
        self.layout, self.settings, self.driver = layout, settings, driver
        self.cluster_name = "lab"
        self.nodes = {host: {"online": True} for host in settings.topology.hosts}
        self.storages = storages()
        self.apitokens = dict(tokens)
        self.time_scale = time_scale
        for path, privileges in least_privileges(settings.topology.hosts).items():
            self.grant(TOKEN_ID, path, *privileges)
        self._stored = ""
        self._load()
        self.sync()

    # ------------------------------------------------------------- serving

    async def serve(self, endpoints: list[Endpoint]) -> None:
        """Listen on every host; returns when all do."""
        self.runner = web.AppRunner(self._build_app())
        await self.runner.setup()
        for endpoint in endpoints:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(endpoint.certificate, endpoint.key)
            await web.SockSite(self.runner, endpoint.listener, ssl_context=context).start()

    def _register_stateful(self, router: Any, prefixes: Any) -> None:
        super()._register_stateful(router, prefixes)
        # Proxmox takes a path with a slash at its end for the one without (the Terraform provider
        # deletes a VM so); fakepve would answer it from the schema alone, and do nothing.
        for resource in list(router.resources()):
            for route in resource:
                router.add_route(route.method, f"{resource.canonical}/", route.handler)

    async def _answer(self, request: Any, handler: Any, generic: Any, path_node: Any) -> Any:
        current_node.set(path_node or "")
        self.sync()
        try:
            return await super()._answer(request, handler, generic, path_node)
        finally:
            self.store()

    async def task(self, *args: Any, **kwargs: Any) -> Any:
        body = args[4]

        async def stored() -> Any:
            try:
                return await body()
            finally:
                self.store()

        return await super().task(*args[:4], stored, *args[5:], **kwargs)

    def release(self, vm: Any, holder: Any) -> None:
        super().release(vm, holder)
        self.store()

    # -------------------------------------------------------------- memory

    def store(self) -> None:
        """Write what a host keeps in /etc/pve, when it has changed."""
        guests = [
            {
                "vmid": vm.vmid,
                "name": vm.name,
                "node": vm.node,
                "config": vm.config,
                "pending": vm.pending,
                "lock": vm.lock,
            }
            for vm in self.vms
        ]
        volumes = {name: store.get("volumes", {}) for name, store in self.storages.items()}
        text = json.dumps({"guests": guests, "volumes": volumes}, indent=1, sort_keys=True)
        if text == self._stored:
            return
        path = self.layout.pve_state
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        fresh.replace(path)
        self._stored = text

    def _load(self) -> None:
        try:
            data = json.loads(self.layout.pve_state.read_text())
        except (OSError, ValueError):
            return
        for guest in data["guests"]:
            # A lock belongs to a task, and the task went with the process that ran it.
            self.vms.append(restore({**guest, "lock": None}))
            self.vms[-1].config.pop("lock", None)
        for name, volumes in data["volumes"].items():
            if name in self.storages:
                self.storages[name]["volumes"] = volumes

    # ------------------------------------------------------------- answers

    def _routes_lab_server(self) -> list[tuple[str, str, Any]]:
        return [("GET", "/nodes/{node}/network", self._network_list)]

    async def _network_list(self, v: dict[str, Any], user: str) -> list[dict[str, Any]]:
        topology = self.settings.topology
        wanted = v.get("type")
        found: list[dict[str, Any]] = []
        for name in topology.bridges():
            visible = self.allowed(user, f"/sdn/zones/localnetwork/{name}", "SDN.Use")
            if not visible and not self.allowed(user, f"/nodes/{v['node']}", "Sys.Audit"):
                continue
            item: dict[str, Any] = {
                "iface": name,
                "type": "bridge",
                "active": 1,
                "autostart": 1,
                "exists": 1,
                "method": "manual",
                "method6": "manual",
                "bridge_stp": "off",
                "bridge_fd": "0",
                "bridge_ports": "",
                "families": ["inet"],
                "priority": 3 + len(found),
                "mtu": str(topology.segment_of(name).mtu),
            }
            segment = topology.segment_of(name).name
            for leg in topology.nodes[v["node"]].legs:
                if leg.segment == segment and name == segment:
                    item |= {
                        "method": "static",
                        "address": str(leg.address.ip),
                        "netmask": str(leg.address.network.prefixlen),
                        "cidr": str(leg.address),
                    }
            found.append(item)
        if wanted and "bridge" not in wanted:
            return []
        return found

    async def _permissions(self, v: dict[str, Any], user: str) -> Any:
        path = v.get("path")
        if path is None:
            return await super()._permissions(v, user)
        who = v.get("userid") or user
        held = [name for name in sorted(PRIVILEGES) if self._has(who, path, name)]
        return {path: dict.fromkeys(held, 1)}

    @staticmethod
    def _node_stats(online: bool) -> dict[str, Any]:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        free = os.sysconf("SC_AVPHYS_PAGES") * size
        disk = os.statvfs("/")
        return {
            "cpu": os.getloadavg()[0] / (os.cpu_count() or 1),
            "maxcpu": os.cpu_count(),
            "mem": pages * size - free,
            "maxmem": pages * size,
            "disk": (disk.f_blocks - disk.f_bfree) * disk.f_frsize,
            "maxdisk": disk.f_blocks * disk.f_frsize,
            "uptime": int(time.monotonic()),
        }

    async def _cluster_status(self, request: Any) -> Any:
        answer = await super()._cluster_status(request)
        data = json.loads(answer.text)
        for item in data["data"]:
            if item["type"] == "node":
                item["ip"] = str(self.settings.topology.nodes[item["name"]].legs[0].address.ip)
        return web.json_response(data)

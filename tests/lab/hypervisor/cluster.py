"""The lab's Proxmox cluster on loopback, with machines that only pretend to run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import urllib3

from lab.hypervisor import hosts
from lab.hypervisor.layout import Layout
from lab.hypervisor.pve.server import TOKEN_ID, Endpoint, LabPve
from lab.hypervisor.seed import Seed
from lab.hypervisor.settings import Settings
from lab.hypervisor.spec import MachineError, MachineSpec, Running
from lab.network import Topology
from lab.processes import Process

SECRET = "not-a-secret"
IMAGE = "debian.img"
NOBODY = "nobody@pve!none"


@dataclass
class FakeDriver:
    """Machines as a note of what was asked for. `stubborn` ones ignore the power button."""

    on: dict[int, float] = field(default_factory=dict)
    specs: dict[int, MachineSpec] = field(default_factory=dict)
    seeds: dict[int, Seed | None] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    stubborn: set[int] = field(default_factory=set)
    broken: dict[int, str] = field(default_factory=dict)
    hold: float = 0.0

    def start(self, spec: MachineSpec, seed: Seed | None) -> None:
        self.calls.append(("start", spec.vmid))
        time.sleep(self.hold)
        if spec.vmid in self.broken:
            raise MachineError(self.broken[spec.vmid])
        self.specs[spec.vmid], self.seeds[spec.vmid] = spec, seed
        self.on[spec.vmid] = time.time()

    def stop(self, vmid: int) -> None:
        self.calls.append(("stop", vmid))
        self.on.pop(vmid, None)

    def shutdown(self, vmid: int, seconds: float) -> bool:
        self.calls.append(("shutdown", vmid))
        if vmid in self.stubborn:
            return False
        self.on.pop(vmid, None)
        return True

    def reset(self, vmid: int) -> None:
        self.calls.append(("reset", vmid))
        self.on[vmid] = time.time()

    def destroy(self, vmid: int) -> None:
        self.calls.append(("destroy", vmid))
        self.on.pop(vmid, None)

    def running(self, vmid: int) -> Running | None:
        if vmid not in self.on:
            return None
        process = Process(pid=4000 + vmid, started=1)
        return Running(
            supervisor=process, nspawn=process, leader=process, started_at=self.on[vmid], boots=1
        )

    def memory_bytes(self, vmid: int) -> int:
        return 64 << 20 if vmid in self.on else 0


@dataclass
class Api:
    """A client of an API, as whoever holds that token."""

    endpoint: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def request(self, method: str, path: str, /, token: str | None = None, **form: Any) -> Any:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        where = {"params": form} if method in ("GET", "DELETE") else {"data": form}
        return self.session.request(
            method,
            f"{self.endpoint}api2/json{path}",
            headers={"Authorization": f"PVEAPIToken={token or self.token}"},
            verify=False,
            timeout=20,
            **where,
        )

    def get(self, path: str, /, **query: Any) -> Any:
        answer = self.request("GET", path, **query)
        assert answer.ok, answer.text
        return answer.json()["data"]

    def task(self, method: str, path: str, /, **form: Any) -> dict[str, Any]:
        """Start a task, wait for it, and return its status with its `log`."""
        answer = self.request(method, path, **form)
        assert answer.ok, answer.text
        return self.finished(answer.json()["data"])

    def finished(self, upid: str) -> dict[str, Any]:
        node, deadline = upid.split(":")[1], time.monotonic() + 20
        while time.monotonic() < deadline:
            status: dict[str, Any] = self.get(f"/nodes/{node}/tasks/{upid}/status")
            if status["status"] == "stopped":
                lines = self.get(f"/nodes/{node}/tasks/{upid}/log")
                return {**status, "log": [line["t"] for line in lines]}
            time.sleep(0.01)
        raise AssertionError(f"{upid} does not end")

    def create(self, vmid: int = 101, node: str = "pve1", **more: Any) -> dict[str, Any]:
        form = {
            "vmid": vmid,
            "name": f"vm-{vmid}",
            "memory": 512,
            "cores": 1,
            "net0": "virtio=BC:24:11:00:00:01,bridge=mgmt",
            "scsi0": f"local:0,import-from=local:iso/{IMAGE},discard=on",
            "ide2": "local:cloudinit,media=cdrom",
            "ipconfig0": "ip=198.18.0.11/24",
            **more,
        }
        return self.task("POST", f"/nodes/{node}/qemu", **form)


@dataclass
class Cluster(Api):
    """A served API and a client's view of it."""

    pve: LabPve = field(kw_only=True)
    driver: FakeDriver = field(kw_only=True)
    layout: Layout = field(kw_only=True)
    loop: asyncio.AbstractEventLoop = field(kw_only=True)


@contextlib.contextmanager
def cluster(state_dir: Path, driver: FakeDriver | None = None) -> Iterator[Cluster]:
    """Serve the cluster on a free port of loopback until the block ends."""
    layout = Layout(state_dir)
    settings = Settings(topology=Topology.default(), image_cache=state_dir / "cache")
    driver = driver or FakeDriver()
    for host in settings.topology.hosts:
        hosts.prepare(layout, settings, host, "ssh-ed25519 AAAA test")
        (layout.vz(host) / "template/iso" / IMAGE).write_bytes(b"x" * 1024)
    listener = socket.create_server(("127.0.0.1", 0))
    files = hosts.HostFiles(layout.node("pve1"))
    served = Endpoint(listener=listener, certificate=files.certificate, key=files.key)
    ready, ended = threading.Event(), threading.Event()
    box: list[tuple[LabPve, asyncio.AbstractEventLoop]] = []

    async def run() -> None:
        # Images are files of no real archive here; unpacking is tested for itself.
        pve = LabPve(layout, settings, driver, {TOKEN_ID: SECRET, NOBODY: SECRET})
        await pve.serve([served])
        box.append((pve, asyncio.get_running_loop()))
        ready.set()
        while not ended.is_set():
            await asyncio.sleep(0.02)
        await pve.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(20), "the API did not start"
    pve, loop = box[0]
    pve.storages["local"]["path"] = "/var/lib/vz"
    endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}/"
    made = Cluster(
        endpoint, f"{TOKEN_ID}={SECRET}", pve=pve, driver=driver, layout=layout, loop=loop
    )
    try:
        yield made
    finally:
        made.session.close()
        ended.set()
        thread.join(20)


def stored(layout: Layout) -> dict[str, Any]:
    """What the API has written down."""
    data: dict[str, Any] = json.loads(layout.pve_state.read_text())
    return data

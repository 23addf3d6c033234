"""The plugin against the lab's API on loopback, and a node's SSH server to write snippets over."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from lab.plugins.proxmoxve.provider import ProxmoxProvider
from tests.lab.hypervisor.cluster import IMAGE, Cluster, cluster
from tests.lab.plugins.harness import Harness, Secret, plugin

VM = "proxmoxve:index/vmLegacy:VmLegacy"
FILE = "proxmoxve:index/fileLegacy:FileLegacy"
DOWNLOAD = "proxmoxve:download/file:File"

SPEED = dict.fromkeys(
    (
        *("iopsRead", "iopsReadBurstable", "iopsWrite", "iopsWriteBurstable"),
        *("read", "readBurstable", "write", "writeBurstable"),
    ),
    0,
)


def machine(**more: Any) -> dict[str, Any]:
    """Inputs as the program writes them for a router."""
    return {
        "name": "router-a",
        "vmId": 101,
        "nodeName": "pve1",
        "description": "router of lab",
        "tags": ["lab", "router"],
        "agent": {"enabled": False},
        "stopOnDestroy": True,
        "rebootAfterUpdate": False,
        "onBoot": True,
        "started": True,
        "startup": {"order": 1},
        "operatingSystem": {"type": "l26"},
        "cpu": {"cores": 1, "type": "x86-64-v2-AES"},
        "memory": {"dedicated": 512},
        "scsiHardware": "virtio-scsi-single",
        "serialDevices": [{"device": "socket"}],
        "disks": [
            {
                "interface": "scsi0",
                "datastoreId": "local",
                "size": 8,
                "fileId": f"local:iso/{IMAGE}",
                "discard": "on",
                "iothread": True,
                "speed": SPEED,
            }
        ],
        "networkDevices": [
            {
                "bridge": "mgmt",
                "macAddress": "BC:24:11:00:00:01",
                "model": "virtio",
                "firewall": False,
            },
            {"bridge": "wan", "macAddress": "bc:24:11:00:00:02", "model": "virtio", "mtu": 1400},
        ],
        "initialization": {
            "datastoreId": "local",
            "interface": "ide2",
            "dns": {"domain": "lab.test", "servers": ["192.0.2.4"]},
            "ipConfigs": [
                {"ipv4": {"address": "198.18.0.11/24"}},
                {"ipv4": {"address": "203.0.113.2/24", "gateway": "203.0.113.1"}},
            ],
        },
        **more,
    }


@dataclass
class Node:
    """A node's SSH: one key may log in, and commands really run."""

    port: int
    private_key: str


@contextlib.contextmanager
def node_ssh() -> Iterator[Node]:
    """An SSH server on loopback with a shell and SFTP."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    user_key = asyncssh.generate_private_key("ssh-ed25519")
    authorized = asyncssh.import_authorized_keys(user_key.export_public_key().decode())
    loop = asyncio.new_event_loop()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    async def run(process: asyncssh.SSHServerProcess[bytes]) -> None:
        child = await asyncio.create_subprocess_shell(
            process.command or "true",
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await child.communicate(await process.stdin.read())
        process.stderr.write(said)
        process.exit(child.returncode or 0)

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_host_keys=[host_key],
            authorized_client_keys=authorized,
            process_factory=run,
            sftp_factory=True,
            encoding=None,
        )

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    try:
        yield Node(port, user_key.export_private_key().decode())
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@dataclass
class World:
    """Cluster, plugin and SSH together."""

    cluster: Cluster
    plugin: Harness
    node: Node


@contextlib.contextmanager
def world(state_dir: Path) -> Iterator[World]:
    """A configured plugin in front of a fresh cluster."""
    with cluster(state_dir) as served, node_ssh() as node, plugin(ProxmoxProvider()) as harness:
        vz = served.layout.vz("pve1")
        served.pve.storages["local"]["path"] = str(vz)
        harness.configure(
            endpoint=served.endpoint,
            apiToken=Secret(served.token),
            insecure=True,
            ssh={
                "username": "root",
                "privateKey": node.private_key,
                "nodes": [{"name": "pve1", "address": "127.0.0.1", "port": node.port}],
            },
        )
        yield World(served, harness, node)

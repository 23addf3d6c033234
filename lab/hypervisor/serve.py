"""The API's process: `python -m lab.hypervisor serve STATE_DIR`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from lab.hypervisor.hosts import HostFiles
from lab.hypervisor.layout import Layout
from lab.hypervisor.machine import NspawnDriver
from lab.hypervisor.netns import listen
from lab.hypervisor.pve.server import PORT, Endpoint, LabPve
from lab.hypervisor.settings import Settings
from lab.network.ip import NETNS_DIR


def tokens(layout: Layout) -> dict[str, str]:
    """API token id to secret, as `up` wrote them."""
    data: dict[str, str] = json.loads(tokens_file(layout).read_text())
    return data


def tokens_file(layout: Layout) -> Path:
    """Where the tokens lie; readable by root only."""
    return layout.root / "tokens.json"


async def serve(layout: Layout) -> None:
    """Serve the API on every host until told to end (SIGTERM)."""
    settings = Settings.read(layout)
    endpoints = []
    for host in settings.topology.hosts:
        address = str(settings.topology.nodes[host].legs[0].address.ip)
        files = HostFiles(layout.node(host))
        endpoints.append(
            Endpoint(
                listener=listen(NETNS_DIR / settings.topology.namespace(host), address, PORT),
                certificate=files.certificate,
                key=files.key,
            )
        )
    pve = LabPve(layout, settings, NspawnDriver(layout, settings), tokens(layout))
    await pve.serve(endpoints)
    print(f"serving {len(endpoints)} hosts as process {os.getpid()}", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await pve.stop()

"""The small Cloudflare served on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from aiohttp import web

from lab.cloudflare.app import Api
from lab.cloudflare.state import State

TOKEN = "token-of-the-tests"


@dataclass
class Served:
    base_url: str
    token: str
    state: State
    zone: str


@contextmanager
def serve_cloudflare(path: Path) -> Iterator[Served]:
    state = State(path, ["lab.test"])
    api = Api(state, TOKEN, [ip_network("198.51.100.0/24"), ip_network("2001:db8:c::/48")])
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(api.application())

    async def begin() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    port = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    zone = next(iter(state.zones))
    try:
        yield Served(f"http://127.0.0.1:{port}/client/v4", TOKEN, state, zone)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)

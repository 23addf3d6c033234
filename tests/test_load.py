"""The load generator of the rollouts: what it counts as lost, before a server that loses."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.probes.rollouts import Seen
from lab.probes.world import script
from tests.components import certificates

HOST = "echo.lab.test"


class Server:
    """HTTP/1.1 on loopback, plain and over TLS; does to requests and streams what it is told."""

    def __init__(self, certificate: Path) -> None:
        self.fault = ""
        self.streams = 0
        self.ports: list[int] = []
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        async def listen() -> None:
            for tls in (None, self._tls):
                server = await asyncio.start_server(self._one, "127.0.0.1", 0, ssl=tls)
                self.ports.append(server.sockets[0].getsockname()[1])
            self._ready.set()

        self._loop.create_task(listen())
        self._loop.run_forever()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                if b"/stream" in line:
                    await self._stream(writer)
                    break
                if self.fault == "cut":
                    break
                status = b"503" if self.fault == "refuse" else b"200"
                writer.write(b"HTTP/1.1 " + status + b" -\r\nContent-Length: 2\r\n\r\n{}")
        finally:
            writer.close()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        self.streams += 1
        mine = self.streams
        writer.write(b"HTTP/1.1 200 -\r\nConnection: close\r\n\r\n")
        for _ in range(10):
            writer.write(b"beat\n")
            await asyncio.sleep(0.1)
            if self.fault == "cut" and mine == 1:
                return
        writer.write(b"end\n")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    path = tmp_path / "site.pem"
    path.write_text(certificates.self_signed(HOST))
    with Server(path) as running:
        yield running


def load(server: Server, fault: str) -> Seen:
    spec: dict[str, Any] = {
        "address": "127.0.0.1",
        "host": HOST,
        "port": server.ports[0],
        "tls_port": server.ports[1],
        "ca": None,
        "path": "/",
        "stream_path": "/stream",
        "rate": 100,
        "streams": 3,
        "timeout": 2,
        "silence": 2,
        "longest": 20,
    }
    with subprocess.Popen(
        [sys.executable, "-c", script("load"), json.dumps(spec)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        server.fault = fault
        while server.streams < 4:  # the first of each are over, or cut
            time.sleep(0.02)
        out, _ = running.communicate(timeout=20)
    return Seen(**json.loads(out))


def test_a_service_that_answers_loses_nothing(server: Server) -> None:
    seen = load(server, "")

    assert seen.sent > 20
    assert (seen.lost, seen.streams_lost, seen.errors) == (0, 0, {})
    assert seen.streams >= 4
    assert seen.outage < 1


def test_every_refusal_is_lost_on_both_kinds_of_connections(server: Server) -> None:
    seen = load(server, "refuse")

    assert seen.lost >= 0.8 * seen.sent
    assert set(seen.errors) == {"new connection: HTTP/1.1 503 -", "kept connection: HTTP/1.1 503 -"}


def test_a_stream_cut_before_its_end_is_lost_and_an_unanswered_request_too(server: Server) -> None:
    seen = load(server, "cut")

    assert seen.streams_lost >= 1
    assert seen.errors["stream: cut off"] == 1
    assert seen.errors["new connection: closed without an answer"] > 0
    assert "requests and 1 of" in str(seen)

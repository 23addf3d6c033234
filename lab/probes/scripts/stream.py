"""A steady stream of requests, to see how long a failure is felt; standard library only.

Argument: {"address", "port", "host", "path", "rate" (requests a second), "timeout" (seconds of
patience with one request), "pool" (kept connections), "duration" (seconds at most), "ca" (PEM of an
authority: over TLS; null or left out: without)}. In turn a request
opens a connection of its own and one takes a kept connection, the longest idle first; a
kept one that was closed is replaced. A request still open does not delay the next one, and a failed
one is not tried again.

Prints "ready" once every kept connection has answered, then goes on until its standard input ends,
and prints a JSON list of rows [kind, begun, ended, problem, late]: kind 0 is a new connection, 1 a
kept one; `begun` and `ended` are seconds of CLOCK_MONOTONIC, which all namespaces share; `problem`
is empty when a whole answer of status 200 came; `late` is how many seconds after its due time the
request was begun: this script's own lag.
"""

import asyncio
import contextlib
import json
import os
import ssl
import sys
import time
from typing import Any

KEPT = 1
"""A request's kind; a new connection is 0."""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    """Read one whole body (RFC 9112, section 6.3)."""
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    elif "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
    else:
        await reader.read()
        headers["connection"] = "close"


class Stream:
    """One stream, as the argument asks for it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        authority = spec.get("ca")
        self.tls = ssl.create_default_context(cadata=authority) if authority else None
        self.idle: list[Connection] = []
        self.rows: list[list[Any]] = []

    async def open(self) -> Connection:
        """A connection to the service."""
        name = self.spec["host"] if self.tls else None
        return await asyncio.open_connection(
            self.spec["address"], self.spec["port"], ssl=self.tls, server_hostname=name
        )

    async def kept(self) -> Connection:
        """The connection that was idle longest and is still open, or a new one."""
        while self.idle:
            reader, writer = self.idle.pop(0)
            if not reader.at_eof() and reader.exception() is None and not writer.is_closing():
                return reader, writer
            writer.close()
        return await self.open()

    async def ask(self, kind: int) -> str:
        """One request; empty when it was answered with 200, else what went wrong."""
        writer = None
        again = False
        try:
            reader, writer = await (self.kept() if kind == KEPT else self.open())
            close = "" if kind == KEPT else "Connection: close\r\n"
            head = f"GET {self.spec['path']} HTTP/1.1\r\nHost: {self.spec['host']}\r\n{close}\r\n"
            writer.write(head.encode())
            status = (await reader.readline()).decode("latin-1").strip()
            if not status:
                return "closed without an answer"
            headers = {}
            while line := (await reader.readline()).decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip().lower()
            await body(reader, headers)
            again = kind == KEPT and "close" not in headers.get("connection", "")
            return "" if status.split()[1:2] == ["200"] else status
        except (OSError, asyncio.IncompleteReadError, ValueError) as problem:
            return type(problem).__name__
        finally:
            if writer is not None:
                if again and len(self.idle) < self.spec["pool"]:
                    self.idle.append((reader, writer))
                else:
                    writer.close()

    async def one(self, kind: int, due: float) -> None:
        """One request with its row."""
        begun = time.monotonic()
        try:
            problem = await asyncio.wait_for(self.ask(kind), self.spec["timeout"])
        except asyncio.TimeoutError:  # noqa: UP041 - they are one only from Python 3.11 on
            problem = "no answer in time"
        ended = time.monotonic()
        late = begun - due
        self.rows.append([kind, round(begun, 4), round(ended, 4), problem, round(late, 4)])

    async def run(self) -> None:
        """Send until told to stop."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()

        def told() -> None:
            if not os.read(0, 4096):
                stop.set()

        loop.add_reader(0, told)
        now = time.monotonic()
        await asyncio.gather(*(self.one(KEPT, now) for _ in range(self.spec["pool"])))
        self.rows.clear()
        print("ready", flush=True)
        interval = 1 / self.spec["rate"]
        started = time.monotonic()
        tasks: list[asyncio.Task[None]] = []
        while not stop.is_set() and len(tasks) < self.spec["duration"] * self.spec["rate"]:
            due = started + len(tasks) * interval
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.append(asyncio.create_task(self.one(len(tasks) % 2, due)))
        loop.remove_reader(0)
        await asyncio.gather(*tasks)
        print(json.dumps(sorted(self.rows, key=lambda row: row[1])))


with contextlib.suppress(OSError):
    os.nice(-10)  # the client outside has a machine of its own
asyncio.run(Stream(json.loads(sys.argv[1])).run())

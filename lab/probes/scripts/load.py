"""A steady load on the service, requests and streams, to see what a change costs its clients;
standard library only.

Argument: {"address", "host", "port" (plain HTTP), "tls_port", "ca" (PEM or null), "path",
"stream_path" (a path whose answer ends with the line "end"), "rate" (requests a second, every other
one on a connection of its own over plain HTTP, the rest on kept connections over TLS), "streams"
(held at once, over TLS), "timeout" (seconds a request may take), "silence" (seconds without a byte
that a stream may bear), "longest" (seconds after which the load ends by itself)}. Prints "ready"
once every stream has begun, then goes on until its standard input ends; streams that are still
open are read to their end. Then prints a JSON object: {"sent", "lost", "slow" (took over a second),
"slowest" (seconds), "outage" (longest time in seconds without a good answer), "streams" (begun),
"streams_lost", "errors": {text: count}}.
"""

import asyncio
import json
import ssl
import sys
import time
from typing import Any

SLOW = 1.0
LIMIT = 1 << 20


class Load:
    """What was sent and what became of it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.tls = ssl.create_default_context(cadata=spec["ca"] or None)
        if not spec["ca"]:
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        self.kept: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.good: list[float] = []
        self.took: list[float] = []
        self.errors: dict[str, int] = {}
        self.lost = self.sent = self.streams = self.streams_lost = 0
        self.begun = 0
        self.over = asyncio.Event()

    async def connect(self, tls: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection to the service."""
        more = {"ssl": self.tls, "server_hostname": self.spec["host"]} if tls else {}
        port = self.spec["tls_port" if tls else "port"]
        return await asyncio.open_connection(self.spec["address"], port, limit=LIMIT, **more)

    def head(self, path: str, connection: str) -> bytes:
        """A request."""
        return (
            f"GET {path} HTTP/1.1\r\nHost: {self.spec['host']}\r\nConnection: {connection}\r\n\r\n"
        ).encode()

    def wrong(self, what: str, problem: object) -> None:
        """One more of a kind of error."""
        text = f"{what}: {problem}"
        self.errors[text] = self.errors.get(text, 0) + 1

    async def request(self, keep: bool) -> None:
        """One request; never raises."""
        started = time.monotonic()
        self.sent += 1
        what = "kept connection" if keep else "new connection"
        try:
            problem = await asyncio.wait_for(self.answered(keep), self.spec["timeout"])
        except (asyncio.TimeoutError, TimeoutError):  # noqa: UP041
            problem = "timeout"
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            problem = type(error).__name__
        ended = time.monotonic()
        self.took.append(ended - started)
        if problem:
            self.lost += 1
            self.wrong(what, problem)
        else:
            self.good.append(ended)

    async def answered(self, keep: bool) -> str:
        """One request, read to its end; empty when it was answered with 200."""
        pair = None
        while keep and self.kept and pair is None:
            pair = self.kept.pop()
            if pair[0].at_eof():  # closed between two requests: nobody's loss
                pair[1].close()
                pair = None
        reader, writer = pair or await self.connect(tls=keep)
        whole = False
        try:
            writer.write(self.head(self.spec["path"], "keep-alive" if keep else "close"))
            line, headers = await answer(reader)
            length = headers.get("content-length")
            if length is not None:
                await reader.readexactly(int(length))
            elif headers.get("transfer-encoding") == "chunked":
                await chunks(reader)
            else:
                await reader.read(LIMIT)
            whole = length is not None or "transfer-encoding" in headers
            whole = whole and keep and headers.get("connection", "") != "close"
        finally:
            if not whole:
                writer.close()
        if whole:
            self.kept.append((reader, writer))
        return "" if " 200" in line else line or "closed without an answer"

    async def stream(self) -> None:
        """Streams, one after another, each read to its end; never raises."""
        first = True
        while first or not self.over.is_set():
            self.streams += 1
            try:
                problem = await self.held(first)
            except (asyncio.TimeoutError, TimeoutError):  # noqa: UP041
                problem = "silent"
            except (OSError, ValueError) as error:
                problem = type(error).__name__
            first = False
            if problem:
                self.streams_lost += 1
                self.wrong("stream", problem)
                await asyncio.sleep(0.5)

    async def held(self, first: bool) -> str:
        """One stream; empty when it came to its end."""
        silence = self.spec["silence"]
        reader, writer = await asyncio.wait_for(self.connect(tls=True), silence)
        try:
            writer.write(self.head(self.spec["stream_path"], "close"))
            line, _ = await asyncio.wait_for(answer(reader), silence)
            self.begun += first
            if " 200" not in line:
                return line or "closed without an answer"
            while text := await asyncio.wait_for(reader.readline(), silence):
                if text.strip() == b"end":
                    return ""
            return "cut off"
        finally:
            writer.close()

    async def requests(self) -> None:
        """Requests at their rate until the end is said; a slow one does not delay the next."""
        tasks: list[asyncio.Task[None]] = []
        started = time.monotonic()
        while not self.over.is_set():
            due = int((time.monotonic() - started) * self.spec["rate"])
            for number in range(len(tasks), due):
                tasks.append(asyncio.create_task(self.request(keep=bool(number % 2))))
            await asyncio.sleep(1 / self.spec["rate"])
        await asyncio.gather(*tasks)

    def counted(self, started: float, ended: float) -> dict[str, Any]:
        """What became of it all."""
        moments = [started, *sorted(self.good), ended]
        return {
            "sent": self.sent,
            "lost": self.lost,
            "slow": sum(each > SLOW for each in self.took),
            "slowest": round(max(self.took, default=0.0), 3),
            "outage": round(max(b - a for a, b in zip(moments, moments[1:])), 3),  # noqa: B905, RUF007
            "streams": self.streams,
            "streams_lost": self.streams_lost,
            "errors": self.errors,
        }


async def answer(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """The status line and the headers, names in lower case."""
    line = (await reader.readline()).decode("latin-1").strip()
    headers = {}
    while text := (await reader.readline()).decode("latin-1").strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip().lower()
    return line, headers


async def chunks(reader: asyncio.StreamReader) -> None:
    """A chunked body (RFC 9112, section 7.1)."""
    while size := int((await reader.readline()).split(b";")[0], 16):
        await reader.readexactly(size + 2)
    await reader.readline()


async def main() -> None:
    """Load the service as the first argument asks."""
    spec = json.loads(sys.argv[1])
    load = Load(spec)
    streams = [asyncio.create_task(load.stream()) for _ in range(spec["streams"])]
    while load.begun < spec["streams"] and not load.streams_lost:
        await asyncio.sleep(0.05)
    started = time.monotonic()
    requests = asyncio.create_task(load.requests())
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    loop.call_later(spec["longest"], load.over.set)
    loop.add_reader(sys.stdin, load.over.set)
    await load.over.wait()
    loop.remove_reader(sys.stdin)
    ended = time.monotonic()
    await requests
    await asyncio.gather(*streams)
    print(json.dumps(load.counted(started, ended)))


asyncio.run(main())

"""The stream of requests, against a server that answers, dawdles, closes and refuses."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lab.probes.drills.stream import Row, felt
from lab.probes.world import script
from tests.issued import made

NEW, KEPT = 0, 1
NOW, DAY = datetime.now(UTC), timedelta(days=1)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


class Server:
    """Answers every request with what `answer` gives; None closes the connection instead."""

    def __init__(self) -> None:
        self.answer: Callable[[], bytes | None] = lambda: ANSWER
        self.held = asyncio.Event()
        self.held.set()
        self.connections: list[list[bool]] = []
        """For each, whether each of its requests was to be the last."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked: list[bool] = []
        self.connections.append(asked)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked.append(b"Connection: close" in head)
                await self.held.wait()
                answer = self.answer()
                if answer is None:
                    return
                writer.write(answer)
                if asked[-1]:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def streaming(
    seconds: float, patience: float = 20, tls: ssl.SSLContext | None = None, ca: str | None = None
) -> AsyncIterator[tuple[Server, list[Row]]]:
    """A stream of that length against a server; its rows are there when the block is left."""
    server, rows = Server(), []
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls) as listening:
        port = listening.sockets[0].getsockname()[1]
        spec = {"address": "127.0.0.1", "port": port, "host": "x", "path": "/", "rate": 100}
        spec |= {"timeout": patience, "pool": 4, "duration": 60, "ca": ca}
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script("stream"), json.dumps(spec)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=1 << 24,
        )
        assert child.stdout is not None
        try:
            assert await asyncio.wait_for(child.stdout.readline(), 120) == b"ready\n"
            began = time.monotonic()
            yield server, rows
            await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
            out, _ = await asyncio.wait_for(child.communicate(b""), 120)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        rows += [Row(*each) for each in json.loads(out)]


async def test_half_go_over_new_connections_and_half_over_kept_ones() -> None:
    async with streaming(1) as (server, rows):
        server.answer = lambda: CHUNKED
    assert {row.problem for row in rows} == {""}
    new = sum(row.kind == NEW for row in rows)
    assert abs(2 * new - len(rows)) <= 1
    span = rows[-1].begun - rows[0].begun
    assert abs(len(rows) - 100 * span) <= 30, "it keeps its rate, and catches up when it was late"
    lasts = [asked for asked in server.connections if True in asked]
    assert lasts == [[True]] * new
    # How many connections are needed depends on how fast this machine answers.
    assert any(len(asked) > 1 for asked in server.connections)


async def test_over_tls_the_name_is_asked_for_and_the_authority_believed(tmp_path: Path) -> None:
    own = made("x", names=("x",), authority=True, begins=NOW - DAY, ends=NOW + DAY)
    (tmp_path / "pair.pem").write_text(own.pem + own.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with streaming(0.5, tls=context, ca=own.pem) as (_, rows):
        pass
    assert {row.problem for row in rows} == {""}
    assert set(asked) == {"x"}


async def test_a_server_of_another_authority_is_not_believed(tmp_path: Path) -> None:
    own, other = (
        made("x", names=("x",), authority=True, begins=NOW - DAY, ends=NOW + DAY) for _ in range(2)
    )
    (tmp_path / "pair.pem").write_text(own.pem + own.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    async with streaming(0.5, tls=context, ca=other.pem) as (_, rows):
        pass
    assert {row.problem for row in rows} == {"SSLCertVerificationError"}


async def test_a_kept_connection_closed_while_idle_is_replaced_without_a_loss() -> None:
    async with streaming(1) as (server, rows):
        closing = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        server.answer = lambda: closing
    assert {row.problem for row in rows} == {""}
    assert len(server.connections) > len(rows) - 8


async def test_a_pause_is_a_gap_for_both_kinds_and_loses_nothing() -> None:
    async with streaming(1.2) as (server, rows):
        begin = time.monotonic()
        server.held.clear()
        await asyncio.sleep(0.5)
        server.held.set()
    seen = felt(rows, begin, begin + 1)
    assert seen.lost == 0
    assert all(gap >= 0.45 for gap in seen.gap.values()), seen
    assert seen.slowest >= 0.4


async def test_what_is_not_answered_in_time_or_not_with_200_is_lost() -> None:
    async with streaming(1, patience=1) as (server, rows):
        await asyncio.sleep(0.2)
        server.answer = lambda: None
        await asyncio.sleep(0.2)
        server.answer = lambda: ANSWER.replace(b"200 OK", b"503 Away")
        await asyncio.sleep(0.2)
        server.held.clear()
    problems = {row.problem for row in rows}
    assert problems >= {"closed without an answer", "HTTP/1.1 503 Away", "no answer in time"}


def row(kind: int, begun: float, seconds: float = 0.01, problem: str = "") -> Row:
    return Row(kind, begun, begun + seconds, problem, 0.001)


def test_a_gap_over_the_end_counts_whole_and_the_next_span_begins_at_the_end() -> None:
    rows = [row(NEW, tick / 10) for tick in range(20)]
    rows += [row(NEW, 2.5, problem="reset")]
    rows += [row(NEW, 4 + tick / 10) for tick in range(20)]
    first, second = felt(rows, 1, 3), felt(rows, 3, 5.5)
    assert first.gap["new"] == 2.1
    assert (first.sent, first.lost, first.errors) == (11, 1, {"reset": 1})
    assert second.gap["new"] == 1.01
    assert second.lost == 0


def test_one_kind_never_answered_is_a_gap_as_long_as_the_span() -> None:
    rows = [row(NEW, tick / 10) for tick in range(50)]
    rows += [row(KEPT, tick / 10, 5, "no answer in time") for tick in range(10, 50)]
    seen = felt(rows, 1, 4)
    assert seen.gap == {"new": 0.1, "kept": 3.0}
    assert seen.longest == 3.0


def test_an_answer_that_was_slow_ends_the_gap_when_it_came() -> None:
    rows = [row(KEPT, 0.0), row(KEPT, 1.0, 1.5), row(KEPT, 2.6)]
    assert felt(rows, 0.5, 3).gap["kept"] == 2.0

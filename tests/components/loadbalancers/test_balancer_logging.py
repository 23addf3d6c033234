"""The access log of a real balancer: what reaches log servers that answer, are gone, hang, and come
back, and what requests notice of it.

One world for all tests, in the order written: each leaves both servers as it found them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.loadbalancers import rsyslog
from components.loadbalancers.access_log import CHROOT, SOCKET
from tests.components import certificates
from tests.components.balancer_world import (
    VIP,
    balancer_files,
    build,
    get,
    inside,
    stack_of,
    start_balancer,
    within,
)
from tests.components.world import World, lacking, until
from tests.issued import made

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]

SERVER = """
import socket, ssl, sys, threading
where, port, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
taken = open(where, "ab", buffering=0)
def counted(stream):
    while (digit := stream.read(1)):
        length = digit
        while (digit := stream.read(1)) != b" ":
            length += digit
        taken.write(stream.read(int(length)) + b"\\n")
def serve(connection):
    try:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            connection = context.wrap_socket(connection, server_side=True)
        counted(connection.makefile("rb"))
    except OSError:
        pass
listener = socket.create_server(("198.18.0.5", port))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
"""A log server: messages by octet counting (RFC 6587, section 3.4.1), one a line into a file."""

RAW = """
import socket, sys
with socket.create_connection((sys.argv[1], 80), timeout=4) as connection:
    connection.sendall(sys.argv[2].encode("latin-1").decode("unicode_escape").encode("latin-1"))
    print(connection.recv(12).decode()[-3:])
"""

FLOOD = """
import socket, sys
line = b"<134>1 2026-01-01T00:00:00+00:00 - haproxy 1 - - {}" + b" " * 8000
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    sender.connect(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        sender.send(line)
"""

PLAIN, SECURED, OTHER = 601, 6514, 6515
HEADER = re.compile(r"<134>1 \S+T\S+ \S+ haproxy \d+ access - (.+)")
ROOM = "echo 512 >/proc/sys/net/unix/max_dgram_qlen\n"
"""As many datagrams wait for a reader as systemd lets (its NEWS, 240); the kernel's own is 10."""
SENDER = f"/usr/sbin/rsyslogd -n -iNONE -f {rsyslog.CONFIG}"
QUEUE = 16


class Server:
    """A log server on the management network."""

    def __init__(self, world: World, port: int, *certificate: str) -> None:
        self.world, self.port, self.certificate = world, port, certificate
        self.taken: Path = world.file(f"taken-{port}", "")
        self.start()

    def start(self) -> None:
        self.process = self.world.start(
            "runner",
            [sys.executable, "-c", SERVER, str(self.taken), str(self.port), *self.certificate],
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def stop(self) -> None:
        self.world.stop(self.process)

    def lines(self) -> list[dict[str, Any]]:
        texts = self.taken.read_text(encoding="utf-8").splitlines()
        found = [HEADER.fullmatch(text) for text in texts]
        return [json.loads(match[1]) for match in found if match]

    def of(self, ids: set[str], seconds: float = 40) -> list[dict[str, Any]]:
        """The lines of these requests, once all are there."""

        def all_there() -> list[dict[str, Any]] | None:
            found = [each for each in self.lines() if each.get("request_id") in ids]
            return found if {each["request_id"] for each in found} == ids else None

        found = until(all_there, f"{len(ids)} lines at {self.port}", seconds)
        assert found is not None
        return found


class Site:
    """The world with its servers."""

    def __init__(self, world: World) -> None:
        self.world = world
        authority = made("logs", authority=True)
        right = made("right", by=authority, names=("logs.lab.test",))
        wrong = made("wrong", by=authority, names=("other.lab.test",))
        self.plain = Server(world, PLAIN)
        self.secured = Server(world, SECURED, self._file("right", right.pem + right.key_pem))
        self.other = Server(world, OTHER, self._file("wrong", wrong.pem + wrong.key_pem))
        tls = {"name": "logs.lab.test", "authorities": authority.pem}
        self.logging = {
            "queue": QUEUE,
            "servers": [
                {"address": "198.18.0.5", "port": PLAIN},
                {"address": "198.18.0.5", "port": SECURED, "tls": tls},
                {"address": "198.18.0.5", "port": OTHER, "tls": tls},
            ],
        }

    def _file(self, name: str, text: str) -> str:
        return str(self.world.file(f"{name}.pem", text))

    def ask(self, count: int = 1, *, tls: bool = False) -> set[str]:
        """Requests that are all answered; the ids that the pods were told."""
        headers = [{"CF-Connecting-IP": "192.0.2.7", "Host": "echo.lab.test"}] * count
        answers = get(self.world, "cdn", *headers, tls=tls)
        assert [each["status"] for each in answers] == [200] * count
        ids = {each["headers"]["x-request-id"] for each in answers}
        assert len(ids) == count
        return ids

    def spool(self) -> Path:
        root = Path(f"/proc/{inside(self.world, 'lb-a', 'keepalived')}/root")
        return root / rsyslog.SPOOL.lstrip("/")

    def sender(self) -> int:
        return inside(self.world, "lb-a", "rsyslogd")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    certificate = certificates.self_signed("echo.lab.test")
    with World() as world:
        build(world, certificate)
        there = Site(world)
        stack = stack_of(logging=there.logging)
        start_balancer(
            world, "lb-a", balancer_files(stack, "lb-a", certificate), f"{ROOM}{SENDER} &\n"
        )
        until(lambda: get(world, "cdn")[0].get("status") == 200, "the nodes are up", 20)
        until(lambda: get(world, "cdn", tls=True)[0].get("status") == 200, "... over TLS", 10)
        yield there


def test_a_line_has_what_was_asked_and_the_id_that_the_pod_was_told(site: Site) -> None:
    (line,) = site.plain.of(site.ask())

    milliseconds = line.pop("milliseconds")
    assert set(milliseconds) == {
        *("handshake", "idle", "request", "queue", "connect", "response", "data", "active")
    }
    assert all(isinstance(each, int) for each in milliseconds.values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line.pop("bytes") > 0
    assert line.pop("bytes_received") > 0
    assert line.pop("server") in {"cp-1", "worker-1", "worker-2"}
    assert line.pop("request_id")
    assert line == {
        **{"client": "192.0.2.7", "method": "GET", "host": "echo.lab.test", "path": "/readyz"},
        **{"status": 200, "backend": "ingress_http", "termination": "----", "tls": "-"},
    }


def test_over_tls_its_version_is_told(site: Site) -> None:
    (line,) = site.plain.of(site.ask(tls=True))

    assert (line["tls"], line["backend"]) == ("TLSv1.3", "ingress_https")


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        ('GET /a"b?token=hush HTTP/1.1\\r\\nHost: x"\\\\y\\r\\n\\r\\n', "400", ('/a"b', 'x"\\y')),
        ("GET /c%0Ad HTTP/1.1\\r\\nHost: \\xff\\xe9z\\r\\n\\r\\n", "400", ("/c%0Ad", "z")),
        (f"GET /{'e' * 9000} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", "200", (f"/{'e' * 2047}", "x")),
        ('nonsense"\\r\\n\\r\\n', "400", None),
    ],
    ids=["quotes", "not UTF-8", "long", "no request"],
)
def test_whatever_a_client_sends_a_line_is_json_without_its_query(
    site: Site, sent: str, status: str, told: tuple[str, str] | None
) -> None:
    before = len(site.plain.lines())

    assert site.world.python("stranger", RAW, VIP, sent) == status

    until(lambda: len(site.plain.lines()) > before, "its line", 10)
    line = site.plain.lines()[-1]
    assert line["status"] == int(status)
    assert told is None or (line["path"], line["host"]) == told
    assert "hush" not in site.plain.taken.read_text(encoding="utf-8")
    assert len(site.plain.lines()) == len(site.plain.taken.read_text().splitlines())


def test_a_server_that_shows_its_name_is_sent_lines_over_tls_and_one_that_does_not_none(
    site: Site,
) -> None:
    ids = site.ask(5)

    site.secured.of(ids)
    site.plain.of(ids)
    assert site.other.taken.read_text() == ""


def test_lines_of_while_a_server_was_gone_reach_it_when_it_is_back(site: Site) -> None:
    site.plain.stop()
    ids = site.ask(400)
    site.secured.of(ids)  # another server's lines wait for nobody

    site.plain.start()

    found = site.plain.of(ids)
    assert len(found) == len(ids)


def test_lines_that_wait_survive_a_restart_of_the_sender(site: Site) -> None:
    """But for those that it is just handing over, which are out of its queue."""
    site.plain.stop()
    ids = site.ask(300)
    site.secured.of(ids)
    stopped = site.sender()
    os.kill(stopped, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{stopped}").exists(), "the sender ended", 20)
    assert list(site.spool().glob(f"198.18.0.5-{PLAIN}.*"))

    within(site.world, "lb-a", "/bin/sh", "-c", f"{SENDER} </dev/null >/dev/null 2>&1 &")
    site.plain.start()

    def all_but_a_batch() -> bool:
        come = {each.get("request_id") for each in site.plain.lines()}
        return len(ids - come) <= rsyslog.BATCH

    until(all_but_a_batch, "the lines that waited", 40)


def test_a_server_that_hangs_holds_nobody_up_and_gets_its_lines_when_it_goes_on(
    site: Site,
) -> None:
    os.killpg(site.plain.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    ids = site.ask(200)
    took = time.monotonic() - began
    site.secured.of(ids)

    os.killpg(site.plain.process.pid, signal.SIGCONT)

    assert took < 10
    site.plain.of(ids)


def test_what_waits_fills_no_more_than_its_queue_and_requests_are_answered(site: Site) -> None:
    site.plain.stop()
    flooded = flood(site, 8 * QUEUE * 1024 * 1024 // 8000)
    site.ask(50)
    until(lambda: flooded.poll() is not None, "the flood is over", 60)

    assert flooded.returncode == 0
    assert QUEUE / 2 <= waiting(site) <= QUEUE + 1
    site.ask(50)
    site.plain.start()
    until(lambda: waiting(site) < QUEUE / 2, "lines leave the queue", 60)
    site.plain.of(site.ask())


def waiting(site: Site) -> float:
    """MiB on the disk for the plain server."""
    files = site.spool().glob(f"198.18.0.5-{PLAIN}.*")
    return sum(each.stat().st_size for each in files) / 1024 / 1024


def flood(site: Site, count: int) -> subprocess.Popen[bytes]:
    """Lines put to the sender's socket as fast as it takes them."""
    pid = inside(site.world, "lb-a", "keepalived")
    return site.world.start(
        "switch",
        [
            *("nsenter", "--mount", f"--target={pid}", "--root", "--wd"),
            *("python3", "-c", FLOOD, CHROOT + SOCKET, str(count)),
        ],
    )


def test_without_the_sender_requests_are_answered(site: Site) -> None:
    os.kill(site.sender(), signal.SIGKILL)

    site.ask(100)

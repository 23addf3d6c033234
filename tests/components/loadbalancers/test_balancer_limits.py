"""How large a request a real balancer takes, how long it waits, and what a connection costs it.

The numbers that the settings' checks count with are held against HAProxy itself here.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.loadbalancers import haproxy
from settings.checks.balancers import AT_WORK, OPEN
from settings.models import CONNECTION_FILES, OTHER_FILES, Sizes
from tests.components import balancer_world, certificates
from tests.components.balancer_world import (
    balancer_files,
    build,
    daemons,
    get,
    stack_of,
    start_balancer,
    within,
)
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
KIB = 1024
SIZES = Sizes()
CLIENT, KEPT = 4.0, 15.0
"""Seconds that a client may be silent within a request, and that an idle connection is kept."""
PROTOCOLS = ("http/1.1", "h2")

ASK = r"""
import json, socket, ssl, struct, sys, time
asked = json.loads(sys.argv[1])
protocol = asked["protocol"]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.set_alpn_protocols([protocol])
tls = context.wrap_socket(socket.create_connection(("198.18.10.10", 443), timeout=15))
assert tls.selected_alpn_protocol() == protocol
stream = tls.makefile("rb")
path = "/" + "u" * (asked["url"] - 1)
fields = [(f"x-{n}", "a" * (size - len(f"x-{n}: \r\n"))) for n, size in enumerate(asked["fields"])]
def number(value, bits):
    if value < 2**bits - 1:
        return bytes([value])
    made, value = bytes([2**bits - 1]), value - (2**bits - 1)
    while value >= 128:
        made, value = made + bytes([value % 128 + 128]), value // 128
    return made + bytes([value])
def literal(name, value):
    return b"\0" + number(len(name), 7) + name.encode() + number(len(value), 7) + value.encode()
def frame(kind, flags, number, body):
    head = struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", number)
    return head + body
def over_1():
    head = f"GET {path} HTTP/1.1\r\nHost: echo.lab.test\r\n"
    tls.sendall((head + "".join(f"{n}: {v}\r\n" for n, v in fields) + "\r\n").encode())
    line = stream.readline()
    if not line:
        return "closed"
    status, length = line.split()[1].decode(), 0
    while (line := stream.readline().strip().lower()):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    stream.read(length)
    return status
def over_2(number):
    first = [(":method", "GET"), (":scheme", "https"), (":authority", "echo.lab.test")]
    block = b"".join(literal(n, v) for n, v in [*first, (":path", path), *fields])
    pieces = [block[at : at + 16384] for at in range(0, len(block), 16384)]
    for index, piece in enumerate(pieces):
        end = 4 if index == len(pieces) - 1 else 0
        kind, flags = (1, 1 | end) if index == 0 else (9, end)
        tls.sendall(frame(kind, flags, number, piece))
    status = ""
    while True:
        head = stream.read(9)
        if len(head) < 9:
            return status or "closed"
        kind, flags = head[3], head[4]
        body = stream.read(int.from_bytes(head[:3], "big"))
        if kind in (3, 7):
            return status or {3: "RST_STREAM", 7: "GOAWAY"}[kind]
        if kind == 1:
            # The status of HAProxy's answers is its first field: the whole of it by index (200),
            # or a literal of three digits.
            status = "200" if body[0] == 0x88 else body[2:5].decode()
        if kind in (0, 1) and flags & 1:
            return status
if protocol == "h2":
    tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
said = []
try:
    for n, silence in enumerate([0, *asked["silences"]]):
        time.sleep(silence)
        said.append(over_2(2 * n + 1) if protocol == "h2" else over_1())
except OSError as error:
    said.append(type(error).__name__)
print(json.dumps(said))
"""
"""Requests over one connection, of any size, by a client that has no limits of its own."""

OPENED = r"""
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
kept = []
for _ in range(int(sys.argv[1])):
    tls = context.wrap_socket(socket.create_connection(("198.18.10.10", 443), timeout=20))
    kept.append(tls)
    if sys.argv[2] == "asked":
        tls.sendall(b"GET /readyz HTTP/1.1\r\nHost: echo.lab.test\r\n\r\n")
        assert tls.recv(65536).startswith(b"HTTP/1.1 200")
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    with World() as world:
        build(world, site)
        timeouts = {"client": CLIENT, "http_keep_alive": KEPT, "http_request": KEPT}
        start_balancer(world, "lb-a", balancer_files(stack_of(timeouts=timeouts), "lb-a", site))
        until(lambda: get(world, "cdn", tls=True)[0].get("status") == 200, "HTTPS is answered", 25)
        yield world


def ask(
    world: World,
    protocol: str,
    *,
    url: int = 7,
    fields: tuple[int, ...] = (),
    silences: tuple[float, ...] = (),
) -> list[str]:
    """The status of each request: the first, and one after each silence."""
    asked = {"protocol": protocol, "url": url, "fields": fields, "silences": silences}
    said: list[str] = json.loads(world.python("cdn", ASK, json.dumps(asked)))
    return said


def of(total: int, each: int = 8 * KIB) -> tuple[int, ...]:
    """The sizes of header fields that are `total` bytes together."""
    whole, rest = divmod(total, each)
    return (*(each for _ in range(whole)), *((rest,) if rest else ()))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_of_the_size_that_the_cdn_passes_on_is_served(net: World, protocol: str) -> None:
    headers = SIZES.headers * KIB - 100

    assert ask(net, protocol, fields=of(headers)) == ["200"]
    assert ask(net, protocol, fields=of(headers, each=100 * KIB)) == ["200"]
    assert ask(net, protocol, fields=of(80 * KIB, each=100)) == ["200"]
    assert ask(net, protocol, url=SIZES.url * KIB) == ["200"]
    assert ask(net, protocol, url=SIZES.url * KIB, fields=of(headers)) == ["200"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("beyond", [1, 8 * KIB])
def test_a_larger_one_is_told_which_part_is_too_large(
    net: World, protocol: str, beyond: int
) -> None:
    assert ask(net, protocol, fields=of(SIZES.headers * KIB + beyond)) == ["431"]
    assert ask(net, protocol, url=SIZES.url * KIB + beyond) == ["414"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_idle_connection_is_kept_and_over_http_1_no_longer_than_a_silent_client(
    net: World, protocol: str
) -> None:
    """Why the settings want `client` to be as long as `http_keep_alive`."""
    after = {"http/1.1": "closed", "h2": "200"}[protocol]

    for silence, then in ((CLIENT / 4, "200"), (CLIENT + 2, after)):
        # A machine short of time may be silent for longer than was asked, or have no server for
        # a moment: one of three connections shows what HAProxy does.
        tries = [ask(net, protocol, silences=(silence,))]
        while tries[-1] != ["200", then] and len(tries) < 3:
            tries.append(ask(net, protocol, silences=(silence,)))
        assert ["200", then] in tries, tries


def memory(world: World) -> int:
    """KiB of HAProxy's worker."""
    status = Path(f"/proc/{max(daemons(world, 'lb-a', 'haproxy'))}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize(("how", "sockets", "counted"), [("open", 1, OPEN), ("asked", 2, AT_WORK)])
def test_a_connection_costs_no_more_than_the_settings_count_with(
    net: World, how: str, sockets: int, counted: int
) -> None:
    number, before = 300, memory(net)
    process = net.start("cdn", [sys.executable, "-c", OPENED, str(number), how])
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    each = (memory(net) - before) / number
    net.stop(process)

    of_the_kernel = 4 * sockets
    assert 0 < each <= counted - of_the_kernel


def test_haproxy_asks_for_no_more_files_than_its_unit_allows(net: World) -> None:
    # The runtime API needs a client of Unix sockets, which the tree has in Python alone.
    show = (
        "import socket;c=socket.socket(socket.AF_UNIX);"
        f"c.connect({haproxy.SOCKET!r});c.sendall(b'show info\\n');"
        "print(b''.join(iter(lambda:c.recv(65536),b'')).decode())"
    )
    said = within(net, "lb-a", "python3", "-c", show)
    found = re.search(r"^Maxsock: (\d+)$", said.stdout, re.MULTILINE)

    assert found is not None, said.stderr
    limit = CONNECTION_FILES * balancer_world.MAX_CONNECTIONS + OTHER_FILES
    assert int(found[1]) <= limit

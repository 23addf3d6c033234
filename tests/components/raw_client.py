"""Requests byte by byte, over HTTP/1.1 and HTTP/2, and an application that tells what it got."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from tests.components.world import World

PORT = 30500
"""The application's NodePort."""

_RECORDER = r"""
import json, socket, sys, threading
def chunked(stream):
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return body
def answer(connection):
    stream = connection.makefile("rwb")
    while True:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return
            head += line
        low, body = head.lower(), b""
        if b"\r\ntransfer-encoding: chunked" in low:
            body = chunked(stream)
        elif b"\r\ncontent-length:" in low:
            body = stream.read(int(low.split(b"\r\ncontent-length:")[1].split()[0]))
        said = json.dumps({"head": head.decode("latin-1"), "body": body.decode("latin-1")}).encode()
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        stream.flush()
def serve(connection):
    try:
        answer(connection)
    except OSError:
        pass
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
"""An application without any opinion: PORT. Each answer tells the request's head and body."""

_PLAYER = r"""
import json, re, socket, ssl, sys, threading
def frame(kind, flags, stream, payload):
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload
def text(value):
    raw = value.encode("latin-1")
    return (bytes([len(raw)]) if len(raw) < 127 else bytes([127, len(raw) - 127])) + raw
def connected(tls, alpn):
    plain = socket.create_connection((sys.argv[1], 443 if tls else 80), 10)
    if not tls:
        return plain
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context.wrap_socket(plain)
def one(asked):
    made = connected(False, "http/1.1")
    try:
        made.sendall(asked["sent"].encode("latin-1"))
    except OSError:
        pass  # it may have been told before all was sent
    got = b""
    while data := made.recv(65536):
        got += data
        head, whole, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if whole and length and len(body) >= int(length[1]):
            break
    body = got.partition(b"\r\n\r\n")[2]
    return int(got.split()[1]) if got else 0, body.decode("latin-1")
def two(asked):
    made = connected(True, "h2")
    fields = b"".join(b"\0" + text(name) + text(value) for name, value in asked["fields"])
    opened = frame(4, 0, 0, b"") + frame(1, 4 if asked["body"] else 5, 1, fields)
    sent = frame(0, 1, 1, asked["body"].encode()) if asked["body"] else b""
    made.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + opened + sent)
    stream, status, body = made.makefile("rb"), 0, b""
    while len(head := stream.read(9)) == 9:
        kind, flags, payload = head[3], head[4], stream.read(int.from_bytes(head[:3], "big"))
        if kind == 1:
            known = {0x88: 200, 0x8c: 400, 0x8d: 404, 0x8e: 500}
            status = known.get(payload[0]) or int(re.search(rb"\d{3}", payload)[0])
        if kind == 0:
            body += payload
        if kind in (3, 7) or (kind in (0, 1) and flags & 1):
            break
    return status, body.decode("latin-1")
def play(index, asked):
    try:
        status, body = (two if "fields" in asked else one)(asked)
    except OSError as error:
        status, body = 0, type(error).__name__
    answers[index] = {"status": status, "text": body}
    try:
        answers[index] |= json.loads(body)
    except ValueError:
        pass
asked = json.load(open(sys.argv[2]))
answers = [None] * len(asked)
threads = [threading.Thread(target=play, args=each) for each in enumerate(asked)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Answer:
    """What one request got: `status` (0: the stream or connection was ended), `text` of the answer,
    and the `head` and `body` that the application got, empty if it got nothing."""

    status: int
    text: str
    head: str = ""
    body: str = ""


def record(world: World, node: str) -> None:
    """Start the application on a node."""
    started = world.start(node, [sys.executable, "-c", _RECORDER, str(PORT)])
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"


def play(world: World, space: str, address: str, asked: list[dict[str, Any]]) -> list[Answer]:
    """Every request at the same time, each over a connection of its own. One with `fields` (pairs)
    and `body` goes over HTTP/2 with TLS, one with `sent` over TCP as it stands."""
    path = world.file(f"asked-by-{space}.json", json.dumps(asked))
    done = world.run(space, [sys.executable, "-c", _PLAYER, address, str(path)], 60)
    assert done.stdout, done.stderr
    return [
        Answer(**{key: each[key] for key in Answer.__dataclass_fields__ if key in each})
        for each in json.loads(done.stdout)
    ]

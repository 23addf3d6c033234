"""A rendered balancer before a real Traefik: what an application behind both is told.

Traefik is the lab's own binary, its entry points as the platform's values set them (and as the
chart does by itself: TLS on websecure). Its route comes from a file and names no entry point, as an
Ingress without annotations does.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.platform.ingress import traefik as controller
from lab.probes.rollouts import Seen
from lab.probes.world import script
from lab.software import images
from settings.models import IngressTimeouts, Platform
from tests.components import certificates, stacks
from tests.components.balancer_world import (
    CDN,
    STRANGER,
    VIP,
    balancer_files,
    get,
    stack_of,
    start_balancer,
)
from tests.components.platform import platform_args
from tests.components.world import World, lacking, until

NODE = "198.18.10.21"
DIRECT = "198.18.10.11"
HURRIED = "198.18.10.41"
"""A node that no balancer knows: its ingress gives a whole request two seconds."""
DEAD = "198.18.10.99"
"""A pod on a node that has just lost power."""
TRAEFIK = images.TRAEFIK_PROGRAM
LACKING = lacking() or (
    None
    if TRAEFIK.ready
    else f"no Traefik: python -m lab.software build --only {images.TRAEFIK.item.name}"
)
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]

STREAM_SECONDS = controller.ACCEPT_SECONDS + 6
"""Longer than a Traefik that leaves takes connections, and checks need to tell."""
APPLICATION = """
import http.server, json, time
class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/stream":
            return self.stream()
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"headers": headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def stream(self, seconds=SECONDS):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(seconds):
            self.wfile.write(b"beat\\n")
            time.sleep(1)
        self.wfile.write(b"end\\n")
        self.close_connection = True
    def log_message(self, *words):
        pass
application = http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Application)
print("ready", flush=True)
application.serve_forever()
""".replace("SECONDS", str(STREAM_SECONDS))
"""Answers with the headers of the request, or with its body; /stream with a line a second for
SECONDS, then "end"."""

UPLOAD = """
import http.client, ssl, sys, time
address, port, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
if port == 443:
    connection = http.client.HTTPSConnection(address, port, timeout=10, context=context)
else:
    connection = http.client.HTTPConnection(address, port, timeout=10)
pieces = [b"piece %d," % number for number in range(4 * seconds)]
try:
    connection.putrequest("POST", "/", skip_host=True)
    connection.putheader("Host", "echo.lab.test")
    connection.putheader("Content-Length", str(sum(map(len, pieces))))
    connection.endheaders()
    for piece in pieces:
        connection.send(piece)
        time.sleep(0.25)
    answer = connection.getresponse()
    print("whole" if answer.read() == b"".join(pieces) else answer.status)
except OSError as error:
    print(type(error).__name__)
"""
"""A body that is sent over that many seconds, and comes back in the answer: ADDRESS PORT SECONDS.
Prints "whole", or what came of it."""

PROXIED = """
import json, socket, sys
client, balancer, node = sys.argv[1:]
connection = socket.create_connection((node, 30080), timeout=4, source_address=(balancer, 0))
body = socket.inet_aton(client) + socket.inet_aton(node) + bytes(4)
connection.sendall(b"\\r\\n\\r\\n\\0\\r\\nQUIT\\n\\x21\\x11\\0\\x0c" + body)
connection.sendall(
    b"GET / HTTP/1.1\\r\\nHost: echo.lab.test\\r\\nX-Forwarded-Proto: https\\r\\n"
    b"Connection: close\\r\\n\\r\\n"
)
text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
print(text.partition("\\r\\n\\r\\n")[2])
"""
"""A request as a balancer would send it that told the scheme by a header alone."""


def flags(routes: str, settings: Platform | None = None) -> list[str]:
    """Traefik's command line: the platform's values, and what the chart adds to them."""
    values = controller.values(platform_args.site(settings))
    ports: dict[str, Any] = values["ports"]
    made = [f"--providers.file.filename={routes}", "--log.level=ERROR"]
    made += values["additionalArguments"]
    for name, number in (("web", 30080), ("websecure", 30443)):
        entry = f"--entryPoints.{name}"
        made.append(f"{entry}.address=:{number}/tcp")
        made.append(f"{entry}.http.middlewares={','.join(ports[name]['http']['middlewares'])}")
        for kind in ("proxyProtocol", "forwardedHeaders"):
            made.append(f"{entry}.{kind}.trustedIPs={','.join(ports[name][kind]['trustedIPs'])}")
        for kind, value in ports[name]["transport"]["respondingTimeouts"].items():
            made.append(f"{entry}.transport.respondingTimeouts.{kind}={value}")
        for key, value in ports[name]["transport"]["lifeCycle"].items():
            made.append(f"{entry}.transport.lifeCycle.{key}={value}")
    return [*made, "--entryPoints.websecure.http.tls=true", "--global.checkNewVersion=false"]


def ingress(
    world: World, name: str, address: str, routes: Path, timeouts: IngressTimeouts | None = None
) -> subprocess.Popen[bytes]:
    """A node with an application and a Traefik before it; the latter's process."""
    settings = stacks.lab().platform
    if timeouts is not None:
        patient = settings.ingress.model_copy(update={"timeouts": timeouts})
        settings = settings.model_copy(update={"ingress": patient})
    world.space(name)
    world.plug(name, "eth0", "lan", f"{address}/24")
    world.ip(name, "route", "add", f"{CDN}/32", "dev", "eth0")
    # Packets to it leave, and nothing comes back: not even that there is nobody.
    world.ip(name, "neigh", "add", DEAD, "lladdr", "02:00:00:00:00:99", "dev", "eth0")
    application = world.start(name, [sys.executable, "-c", APPLICATION])
    assert application.stdout is not None
    assert application.stdout.readline() == b"ready\n"
    return world.start(name, [str(TRAEFIK.path / "traefik"), *flags(str(routes), settings)])


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    servers = [f"http://{address}:8080" for address in ("127.0.0.1", DEAD)]
    routes = {
        "http": {
            **controller.values(platform_args.site())["providers"]["file"]["content"]["http"],
            "routers": {
                name: {"rule": f"Host(`{name}.lab.test`)", "service": name}
                for name in ("echo", "half")
            },
            "services": {
                name: {"loadBalancer": {"servers": [{"url": url} for url in servers[:count]]}}
                for name, count in (("echo", 1), ("half", 2))
            },
        }
    }
    with World() as world:
        for bridge in ("mgmt", "lan"):
            world.bridge(bridge)
        for name, address in (("cdn", CDN), ("stranger", STRANGER)):
            world.space(name)
            world.plug(name, "eth0", "lan", f"{address}/32")
            world.ip(name, "route", "add", "198.18.10.0/24", "dev", "eth0", "src", address)
        world.space("lb-a")
        world.plug("lb-a", "eth0", "mgmt", "198.18.0.21/24")
        world.plug("lb-a", "eth1", "lan", f"{DIRECT}/24")
        for outside in (CDN, STRANGER):
            world.ip("lb-a", "route", "add", f"{outside}/32", "dev", "eth1")
        path = world.file("routes.yaml", json.dumps(routes))
        world.ingresses = {  # type: ignore[attr-defined]
            name: ingress(world, name, address, path)
            for name, address in (("cp-1", NODE), ("worker-1", "198.18.10.31"))
        }
        ingress(world, "hurried", HURRIED, path, IngressTimeouts(read=2))
        site = certificates.self_signed("echo.lab.test")
        start_balancer(world, "lb-a", balancer_files(stack_of(), "lb-a", site))
        host = {"Host": "echo.lab.test"}
        until(lambda: get(world, "cdn", host)[0].get("status") == 200, "HTTP is answered", 20)
        until(lambda: get(world, "cdn", host, tls=True)[0].get("status") == 200, "HTTPS too", 20)
        yield world


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_application_sees_the_scheme_and_the_client_that_the_cdn_named(
    net: World, scheme: str
) -> None:
    asked = {"Host": "echo.lab.test", "CF-Connecting-IP": "192.0.2.7"}
    (seen,) = get(net, "cdn", asked, tls=scheme == "https")

    assert seen["status"] == 200
    assert seen["headers"]["x-forwarded-proto"] == scheme
    assert seen["headers"]["x-forwarded-port"] == {"http": "80", "https": "443"}[scheme]
    assert seen["headers"]["x-real-ip"] == "192.0.2.7"
    assert seen["headers"]["x-forwarded-for"] == "192.0.2.7"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stranger_changes_neither(net: World, scheme: str) -> None:
    lie = {"http": "https", "https": "http"}[scheme]
    asked = {"Host": "echo.lab.test", "X-Forwarded-Proto": lie, "X-Real-IP": "192.0.2.7"}
    (seen,) = get(net, "stranger", asked, tls=scheme == "https")

    assert seen["headers"]["x-forwarded-proto"] == scheme
    assert seen["headers"]["x-real-ip"] == STRANGER


@pytest.mark.parametrize("host", ["echo.lab.test:443", "echo.lab.test.", "ECHO.lab.test"])
def test_any_spelling_of_the_host_is_answered_over_https(net: World, host: str) -> None:
    (seen,) = get(net, "cdn", {"Host": host}, tls=True)

    assert (seen["status"], seen["headers"]["x-forwarded-proto"]) == (200, "https")


def test_a_header_about_the_scheme_is_not_believed_behind_a_proxy_header(net: World) -> None:
    """Why TLS goes on to the ingress: the client's address decides, and it is not trusted."""
    seen = json.loads(net.python("lb-a", PROXIED, "192.0.2.7", DIRECT, NODE))

    assert seen["headers"]["x-real-ip"] == "192.0.2.7"
    assert seen["headers"]["x-forwarded-proto"] == "http"


def test_the_ingress_does_not_believe_a_proxy_header_of_anybody_else(net: World) -> None:
    seen = json.loads(net.python("cdn", PROXIED, "192.0.2.7", CDN, NODE))

    assert seen["headers"]["x-real-ip"] == CDN


def test_requests_that_meet_a_dead_nodes_pod_are_answered_by_another(net: World) -> None:
    """Every second one does, and has less time than Traefik's own patience with a connection."""
    seen = get(net, "cdn", *[{"Host": "half.lab.test"}] * 4)

    assert [each["status"] for each in seen] == [200] * 4


def test_an_upload_may_take_longer_than_an_ingress_reads_by_itself(net: World) -> None:
    """Traefik's own limit of a minute is two seconds here: what it would do to a longer upload, and
    what the platform's values make of it."""

    def hurried(seconds: str) -> str:
        return net.python("lb-a", UPLOAD, HURRIED, "30080", seconds)

    until(lambda: hurried("1") == "whole", "a short upload comes through", 20)
    assert hurried("4") != "whole"

    assert [net.python("cdn", UPLOAD, VIP, port, "4") for port in ("80", "443")] == ["whole"] * 2


def test_an_ingress_that_leaves_loses_neither_requests_nor_streams(net: World) -> None:
    """Its node is down for new requests while the old ones are still served there."""
    spec = {
        "address": VIP,
        "host": "echo.lab.test",
        "port": 80,
        "tls_port": 443,
        "ca": None,
        "path": "/",
        "stream_path": "/stream",
        "rate": 40,
        "streams": 6,
        "timeout": 5,
        "silence": 5,
        "longest": STREAM_SECONDS,
    }
    load = net.start("cdn", [sys.executable, "-c", script("load"), json.dumps(spec)])
    assert load.stdout is not None
    assert load.stdout.readline() == b"ready\n"
    net.ingresses["cp-1"].send_signal(signal.SIGTERM)  # type: ignore[attr-defined]
    seen = Seen(**json.loads(load.stdout.readline()))

    assert (seen.lost, seen.streams_lost) == (0, 0), str(seen)
    assert seen.streams >= 6
    assert net.run("lb-a", ["bash", "-c", f"exec 3<>/dev/tcp/{NODE}/30443"]).returncode != 0

"""A client of the balancers, and a service of its own beside the ingress, as scripts."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.components.balancer_world import VIP
from tests.components.world import World

_ASK = """
import http.client, json, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for one in json.loads(sys.argv[2]):
    if one["tls"]:
        made = http.client.HTTPSConnection(sys.argv[1], one["port"], timeout=15, context=context)
    else:
        made = http.client.HTTPConnection(sys.argv[1], one["port"], timeout=15)
    try:
        made.putrequest(one["method"], one["path"], skip_host="Host" in one["headers"])
        for name, value in one["headers"].items():
            made.putheader(name, value)
        made.endheaders()
        made.send(one["body"].encode())
        answer = made.getresponse()
        text = answer.read().decode()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        said = {"status": answer.status, "answered": headers, "text": text}
        try:
            said |= json.loads(text)
        except ValueError:
            pass
    except OSError as error:
        said = {"status": 0, "error": type(error).__name__}
    made.close()
    print(json.dumps(said))
"""

SERVICE = """
import http.server, json, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = {"node": sys.argv[1], "service": sys.argv[2], "line": self.requestline}
        body = json.dumps({**seen, "headers": headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = do_DELETE = do_OPTIONS = answer
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[3])), Handler)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
"""
"""An application behind a NodePort of its own, without PROXY headers: NODE NAME PORT [PEM]."""


def request(
    path: str = "/",
    *,
    method: str = "GET",
    tls: bool = False,
    port: int | None = None,
    body: str = "",
    **headers: str,
) -> dict[str, Any]:
    """One request; the header's names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    at = port or (443 if tls else 80)
    return {"path": path, "method": method, "tls": tls, "port": at, "body": body, "headers": named}


def ask(
    world: World, space: str, *requests: dict[str, Any], address: str = VIP
) -> list[dict[str, Any]]:
    """What each request was answered with, each over a connection of its own; status 0: nothing."""
    said = world.python(space, _ASK, address, json.dumps(requests or (request(),)))
    return [json.loads(line) for line in said.splitlines()]


def service(world: World, node: str, name: str, port: int, *certificate: str) -> None:
    """Start an application on a node."""
    started = world.start(
        node, [sys.executable, "-c", SERVICE, node, name, str(port), *certificate]
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"

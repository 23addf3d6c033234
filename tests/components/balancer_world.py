"""A pair of balancers with nodes and clients, in namespaces, for tests of what they do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components.host.pair import watch
from components.host.pair.keepalived import CONFIG as KEEPALIVED
from components.loadbalancers import handover, haproxy, keepalived
from settings.models import Stack
from tests.components import rendered, stacks
from tests.components.world import World

NODE = """
import json, socket, ssl, sys, threading, time
health = {"status": 200}
def proxied(connection):
    head = connection.recv(16, socket.MSG_WAITALL)
    if head[:12] != b"\\r\\n\\r\\n\\0\\r\\nQUIT\\n":
        raise OSError("no PROXY header of version 2")
    body = connection.recv(int.from_bytes(head[14:16], "big"), socket.MSG_WAITALL)
    if head[13] == 0x11:
        return socket.inet_ntop(socket.AF_INET, body[:4])
    if head[13] == 0x21:
        return socket.inet_ntop(socket.AF_INET6, body[:16])
    return "none"
def request(stream):
    line = stream.readline().decode().strip()
    headers = {}
    while (text := stream.readline().decode().strip()):
        name, _, value = text.partition(": ")
        headers[name] = value
    return line, headers
def answer(stream, body, status=200):
    stream.write(b"HTTP/1.1 %d -\\r\\nContent-Length: %d\\r\\n\\r\\n" % (status, len(body)) + body)
    stream.flush()
def there(connection):
    if health["status"] != 200:
        connection.close()
        raise OSError("no ingress here")
    return connection
def plain(connection, number):
    ingress(connection, number, proxied(connection), {"tls": None})
def over_tls(connection, number):
    client = proxied(connection)
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda tls, name, context: names.append(name)
    tls = context.wrap_socket(connection, server_side=True)
    about = {"tls": tls.version(), "sni": names[-1] if names else None}
    about["alpn"] = tls.selected_alpn_protocol()
    ingress(tls, number, client, about)
def ingress(connection, number, client, about):
    stream = connection.makefile("rwb")
    while True:
        line, headers = request(stream)
        if not line or ("/leaving " in line and sys.argv[1] == "worker-1"):
            return connection.shutdown(socket.SHUT_RDWR)
        if "/hold " in line:
            time.sleep(2)
        seen = {"node": sys.argv[1], "client": client, "connection": number, "line": line, **about}
        answer(stream, json.dumps({**seen, "headers": headers}).encode())
def checked(connection, number):
    stream = connection.makefile("rwb")
    line, headers = request(stream)
    answer(stream, b"{}", health["status"])
    connection.close()
def serve(port, handler, wrap=lambda c: c):
    listener = socket.create_server(("0.0.0.0", port))
    def one(connection, number):
        try:
            handler(wrap(connection), number)
        except OSError:
            pass
    def loop():
        number = 0
        while True:
            connection, _ = listener.accept()
            number += 1
            threading.Thread(target=one, args=(connection, number), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()
serve(30080, plain, there)
serve(30443, over_tls, there)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
serve(6443, checked, lambda c: context.wrap_socket(c, server_side=True))
print("ready", flush=True)
for line in sys.stdin:
    health["status"] = int(line)
    print("set", flush=True)
"""
"""A node: an ingress that takes PROXY v2, plain and before TLS, and an API server behind TLS. Told
another status than 200 it has no ingress: its NodePorts accept nothing."""

GET = """
import http.client, json, ssl, sys
address, port, tls = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "https"
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
make = http.client.HTTPSConnection if tls else http.client.HTTPConnection
more = {"context": context} if tls else {}
try:
    connection = make(address, port, timeout=4, **more)
    for headers in json.loads(sys.argv[4]):
        connection.request("GET", "/readyz", headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        try:
            print(json.dumps({"status": answer.status, **json.loads(body)}))
        except ValueError:
            print(json.dumps({"status": answer.status}))
except OSError as error:
    print(json.dumps({"error": type(error).__name__}))
"""

SYSTEMCTL = """#!/bin/sh
[ "$1 $2" = "reload haproxy.service" ] && exec kill -USR2 "$(cat /run/haproxy.pid)"
exit 1
"""
DAEMONS = f"""
/lib/systemd/systemd-sysctl {haproxy.SYSCTL}
(
    while :; do
        (until {keepalived.ALIVE} 1; do :; done; echo 0 >{keepalived.ENDS}) &
        ready=$!
        /usr/sbin/haproxy -W -f {haproxy.DIRECTORY} -p /run/haproxy.pid -S /run/haproxy-master.sock
        kill "$ready"
        {haproxy.ENDED}
        sleep 0.02
    done
) &
if [ -e {handover.RULES} ]; then {keepalived.HANDOVER} start; fi
if [ -e {watch.CONFIG} ]; then
    mkdir -p /run/{watch.RUNTIME}
    (cd {Path(watch.PROGRAM).parent}; exec python3 -B -m legwatch {watch.CONFIG}) &
    until [ -e {watch.VERDICT} ]; do sleep 0.05; done
fi
exec /usr/sbin/keepalived -n -l -i container -f {KEEPALIVED}
"""
"""What a balancer's units run; HAProxy's, as systemd has it: keepalived is told when it has ended
and when it answers, and it is started again."""
VIP, MANAGEMENT = "198.18.10.10", "198.18.0.10"
CDN, STRANGER = "198.51.100.10", "192.0.2.66"


def build(world: World, site: str) -> dict[str, subprocess.Popen[bytes]]:
    for bridge in ("mgmt", "lan"):
        world.bridge(bridge)
    for name, address in (("cdn", CDN), ("stranger", STRANGER)):
        world.space(name)
        world.plug(name, "eth0", "lan", f"{address}/32")
        world.ip(name, "route", "add", "198.18.10.0/24", "dev", "eth0", "src", address)
    world.space("runner")
    world.plug("runner", "eth0", "mgmt", "198.18.0.5/24")
    for name, last in (("lb-a", 1), ("lb-b", 2)):
        world.space(name)
        world.plug(name, "eth0", "mgmt", f"198.18.0.2{last}/24")
        world.plug(name, "eth1", "lan", f"198.18.10.1{last}/24")
        for outside in (CDN, STRANGER):
            world.ip(name, "route", "add", f"{outside}/32", "dev", "eth1")
    path = world.file("site.pem", site)
    nodes = {
        name: node(world, name, address, path)
        for name, address in (("cp-1", 21), ("worker-1", 31), ("worker-2", 32))
    }
    world.plug("cp-1", "eth1", "mgmt", "198.18.0.31/24")
    return nodes


def node(world: World, name: str, last: int, path: Path) -> subprocess.Popen[bytes]:
    world.space(name)
    world.plug(name, "eth0", "lan", f"198.18.10.{last}/24")
    process = world.start(name, [sys.executable, "-c", NODE, name, str(path)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


MAX_CONNECTIONS = 1000
"""Within any machine's limit of open files."""


def stack_of(**balancers: Any) -> Stack:
    """The lab's, but for what the balancers are told here."""
    config = stacks.lab_config()
    config["balancers"]["max_connections"] = MAX_CONNECTIONS
    config["balancers"] |= balancers
    return Stack.model_validate(config)


def balancer_files(stack: Stack, name: str, site: str, *, routes: bool = True) -> dict[str, str]:
    """Every file of a balancer; without `routes` those of its base alone."""
    files = rendered.balancer_files(stack, name) | {haproxy.CERTIFICATE: site}
    if not routes:
        for path in (haproxy.ROUTES, haproxy.CDN, haproxy.CERTIFICATE):
            del files[path]
    return files


def start_balancer(world: World, name: str, files: dict[str, str], also: str = "") -> None:
    """A balancer's daemons, and those that the shell text `also` leaves in the background."""
    files = files | {"/usr/local/sbin/systemctl": SYSTEMCTL}
    modes = executable(name) | {"/usr/local/sbin/systemctl": 0o755}
    world.daemons(name, files, also + DAEMONS, modes)


def executable(name: str) -> dict[str, int]:
    """The modes of a balancer's scripts: of one of a pair, with routes of every kind."""
    return rendered.executable(rendered.balancer_whole(stacks.with_routes(), name))


def owner(world: World) -> str:
    """Who alone has both VIPs; what is wrong in other words."""
    held = {
        address: [
            name
            for name in ("lb-a", "lb-b")
            if f"inet {address}/" in world.ip(name, "-4", "addr", "show")
        ]
        for address in (VIP, MANAGEMENT)
    }
    alone = held[VIP] == held[MANAGEMENT] and len(held[VIP]) == 1
    return held[VIP][0] if alone else str(held)


def get(
    world: World, space: str, *headers: dict[str, str], tls: bool = False, address: str = VIP
) -> list[dict[str, Any]]:
    """Requests over one connection to the service; what each answer says."""
    scheme, port = ("https", "443") if tls else ("http", "80")
    sent = json.dumps(headers or ({},))
    said = world.python(space, GET, address, port, scheme, sent)
    return [json.loads(line) for line in said.splitlines()]


def api(world: World, address: str) -> dict[str, Any]:
    space = "cdn" if address == VIP else "runner"
    answer: dict[str, Any] = json.loads(
        world.python(space, GET, address, "6443", "https", "[{}]").splitlines()[0]
    )
    return answer


def counted(world: World, proxy: str, server: str) -> dict[str, str]:
    """One line of the statistics (HAProxy management guide, section 9.1)."""
    script = (
        "import urllib.request,sys;"
        "print(urllib.request.urlopen(sys.argv[1], timeout=3).read().decode())"
    )
    text = world.python("runner", script, "http://198.18.0.21:8404/;csv")
    header, *lines = text.removeprefix("# ").splitlines()
    rows = [dict(zip(header.split(","), line.split(","), strict=False)) for line in lines]
    return next(row for row in rows if (row["pxname"], row["svname"]) == (proxy, server))


def daemons(world: World, space: str, comm: str) -> list[int]:
    """The process ids of a daemon in a space, lowest first."""
    pids = subprocess.run(
        ["ip", "netns", "pids", world.prefix + space], capture_output=True, text=True, check=True
    ).stdout.split()
    return sorted(int(pid) for pid in pids if _command_of(pid) == comm)


def _command_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # ended since it was listed, as every check script does


def inside(world: World, space: str, comm: str) -> int:
    """The lowest process id of a daemon in a space."""
    found = daemons(world, space, comm)
    assert found, f"no {comm} in {space}: {world.log(space).read_text()}"
    return found[0]


def lay(
    world: World, space: str, files: dict[str, str], modes: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Put files into the tree that a space's daemons run in."""
    root = Path(f"/proc/{inside(world, space, 'keepalived')}/root")
    for path, text in files.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        if path in modes:
            target.chmod(modes[path])


def within(world: World, space: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """A program inside the Debian tree that a space's daemons run in."""
    target = inside(world, space, "keepalived")
    return subprocess.run(
        ["nsenter", "--mount", "--net", "--pid", f"--target={target}", "--root", "--wd", *argv],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


_TABLE = """
import socket, sys
with socket.socket(socket.AF_UNIX) as master:
    master.settimeout(5)
    master.connect("/run/haproxy-master.sock")
    master.sendall(f"@1 show table {sys.argv[1]}\\n".encode())
    master.shutdown(socket.SHUT_WR)
    while data := master.recv(65536):
        sys.stdout.write(data.decode())
"""


def remembered(world: World, space: str, table: str) -> set[str]:
    """The IPv4 clients in a balancer's stick table (management guide, `show table`). What one
    balancer learns reaches the other a moment later."""
    shown = within(world, space, "python3", "-c", _TABLE, table)
    assert f"# table: {table}," in shown.stdout, shown.stdout + shown.stderr
    return set(re.findall(r"key=::ffff:([0-9.]+)", shown.stdout))

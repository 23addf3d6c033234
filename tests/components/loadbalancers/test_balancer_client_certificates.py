"""Whom a real balancer serves that wants a certificate of the CDN, and while that is changed."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from components.loadbalancers import haproxy
from settings.models import Stack
from tests.components import balancer_world, certificates, rendered, stacks
from tests.components.balancer_world import VIP, build, get, inside, lay, start_balancer, within
from tests.components.world import World, lacking, until
from tests.issued import Pair, made

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]

ASK = """
import http.client, json, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = getattr(ssl.TLSVersion, sys.argv[2])
if sys.argv[3]:
    context.load_cert_chain(sys.argv[3])
connection = http.client.HTTPSConnection(sys.argv[1], 443, timeout=4, context=context)
try:
    connection.request("GET", "/readyz", headers={"CF-Connecting-IP": "192.0.2.7"})
    answer = connection.getresponse()
    about = {"client": json.loads(answer.read())["client"]} if answer.status == 200 else {}
    print(json.dumps({"status": answer.status, **about}))
except (ssl.SSLError, ConnectionError):
    print(json.dumps({"refused": True}))
except OSError as error:
    print(json.dumps({"error": type(error).__name__}))
"""
HEARD = """
# Where HAProxy's unit binds the journal's socket: it is in its own root by then.
import os, socket
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
os.makedirs("/var/lib/haproxy/dev", exist_ok=True)
listener.bind("/var/lib/haproxy/dev/log")
os.chmod("/var/lib/haproxy/dev/log", 0o666)
print("ready", flush=True)
while True:
    print(listener.recv(65536).decode().strip(), flush=True)
"""
SERVED, REFUSED = {"status": 200, "client": "192.0.2.7"}, {"refused": True}
NOW = datetime.now(UTC)
BEGINS, ENDS = NOW - timedelta(days=1), NOW + timedelta(days=100)


def issued(name: str, *, by: Pair | None = None, ends: datetime = ENDS, **more: object) -> Pair:
    return made(name, by=by, names=(), begins=BEGINS, ends=ends, **more)  # type: ignore[arg-type]


OURS, NEXT = issued("ours", authority=True), issued("next", authority=True)
RENEWED = issued("ours", authority=True, key=OURS.key, ends=ENDS + timedelta(days=100))
"""What becomes of `OURS` in the last days of its life: the same name and key."""
OTHERS = issued("ours", authority=True)
"""Somebody else's authority, of the same name."""
SHOWN = {
    "ours": issued("edge", by=OURS),
    "next": issued("edge", by=NEXT),
    "others": issued("edge", by=OTHERS),
    "ended": issued("edge", by=OURS, ends=NOW - timedelta(minutes=5)),
}


def changed(stack: Stack, authorities: str) -> dict[str, str]:
    """The files of the routes that an update brings."""
    files = rendered.balancer_files(stack, "lb-a")
    routes = {path: files[path] for path in (haproxy.ROUTES, haproxy.CDN)}
    return {**routes, haproxy.AUTHORITIES: authorities}


@pytest.fixture(scope="module")
def net() -> Iterator[World]:
    site = certificates.self_signed("echo.lab.test")
    files = balancer_world.balancer_files(balancer_world.stack_of(), "lb-a", site)
    with World() as world:
        build(world, site)
        for name, pair in SHOWN.items():
            world.file(f"{name}.pem", pair.pem + pair.key_pem)
        start_balancer(world, "lb-a", files | changed(stacks.proven(), OURS.pem))
        until(lambda: ask(world, "ours") == SERVED, "HTTPS is answered", 30)
        yield world


def ask(world: World, shown: str | None, version: str = "TLSv1_3") -> dict[str, object]:
    path = "" if shown is None else str(world.file(f"{shown}.pem", _text(shown)))
    answer: dict[str, object] = json.loads(world.python("cdn", ASK, VIP, version, path))
    return answer


def _text(shown: str) -> str:
    return SHOWN[shown].pem + SHOWN[shown].key_pem


def update(world: World, stack: Stack, authorities: str) -> None:
    lay(world, "lb-a", changed(stack, authorities))
    done = within(world, "lb-a", haproxy.RELOAD)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_who_shows_our_certificate_is_served_and_nobody_else(net: World, version: str) -> None:
    seen = {shown: ask(net, shown, version) for shown in ("ours", None, "others", "ended", "next")}

    assert seen == {
        "ours": SERVED, None: REFUSED, "others": REFUSED, "ended": REFUSED, "next": REFUSED,
    }  # fmt: skip


def test_plain_http_leads_to_https_and_serves_nothing(net: World) -> None:
    assert get(net, "cdn", {"Host": "echo.lab.test"}) == [{"status": 308}]


def test_while_the_authority_is_changed_both_are_accepted_and_then_the_new_one_alone(
    net: World,
) -> None:
    update(net, stacks.proven(), OURS.pem + NEXT.pem)
    assert [ask(net, each) for each in ("ours", "next", "others")] == [SERVED, SERVED, REFUSED]

    update(net, stacks.proven(), NEXT.pem)
    assert [ask(net, each) for each in ("ours", "next", "others")] == [REFUSED, SERVED, REFUSED]


def test_an_authority_renewed_with_its_key_accepts_what_it_signed_before(net: World) -> None:
    update(net, stacks.proven(), RENEWED.pem)

    assert [ask(net, each) for each in ("ours", "next", "others")] == [SERVED, REFUSED, REFUSED]


def test_asked_and_not_required_everybody_is_served_and_the_log_says_what_was_shown(
    net: World,
) -> None:
    target = inside(net, "lb-a", "keepalived")
    heard: queue.Queue[str] = queue.Queue()
    argv = ["nsenter", "--mount", "--net", f"--target={target}", "--root", "--wd"]
    listener = subprocess.Popen([*argv, "python3", "-c", HEARD], stdout=subprocess.PIPE, text=True)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "ready\n"
    lines = listener.stdout
    threading.Thread(target=lambda: [heard.put(line) for line in lines], daemon=True).start()
    try:
        update(net, stacks.asking(), OURS.pem)
        for shown, said in (("ours", "1/0"), (None, "0/0"), ("others", r"1/[1-9]\d*")):
            assert ask(net, shown) == SERVED
            assert re.search(rf" \{{{said}\}} ", _request(heard)), shown
    finally:
        listener.kill()
        listener.wait()


def _request(heard: queue.Queue[str]) -> str:
    """The next line about a request."""
    while "/readyz" not in (line := heard.get(timeout=10)):
        pass
    return line

"""What the rendered balancers really do: a pair of them, nodes, clients, all in namespaces.

One world for all tests, in the order written: the last ones stop the owner's HAProxy.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from components.loadbalancers import haproxy, keepalived
from lab.probes.drills.stream import Felt
from tests.components import certificates
from tests.components.balancer_world import (
    CDN,
    GET,
    MANAGEMENT,
    STRANGER,
    VIP,
    api,
    balancer_files,
    build,
    counted,
    daemons,
    get,
    inside,
    lay,
    owner,
    stack_of,
    start_balancer,
    within,
)
from tests.components.felt import assert_felt, ended, stream
from tests.components.world import World, lacking, until

LACKING = lacking()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]
SPIN = {
    "/etc/haproxy/spin.lua": """
core.register_action("spin", {"http-req"}, function()
    string.find(string.rep("a", 4000), string.rep("a-", 12) .. "b")
end)
""",
    f"{haproxy.DIRECTORY}/98-spin.cfg": """
global
    lua-load /etc/haproxy/spin.lua
frontend spin from local
    bind 127.0.0.1:8499
    http-request lua.spin
    http-request return status 200
""",
}
"""A request that takes a thread for ever: a match in C, which Lua cannot interrupt."""
CONTENT = f"""#!/bin/sh
[ $# -gt 0 ] || exit 0
exec {keepalived.ALIVE}.real "$@"
"""
KILLED, FROZEN = 0.3, 1.5
"""Seconds: the longest that a HAProxy which ended, or does not answer, may be felt."""


@pytest.fixture(scope="module")
def site() -> str:
    return certificates.self_signed("echo.lab.test")


@pytest.fixture(scope="module")
def net(site: str) -> Iterator[World]:
    with World() as world:
        world.nodes = build(world, site)  # type: ignore[attr-defined]
        for name in ("lb-a", "lb-b"):
            start_balancer(world, name, balancer_files(stack_of(), name, site))
        until(lambda: owner(world) == "lb-a", "lb-a owns the addresses", 20)
        until(lambda: get(world, "cdn")[0].get("status") == 200, "the nodes are up", 10)
        until(lambda: get(world, "cdn", tls=True)[0].get("status") == 200, "... over TLS", 10)
        until(lambda: api(world, VIP).get("status") == 200, "the API is up", 10)
        yield world


def test_exactly_one_balancer_owns_both_vips(net: World) -> None:
    assert owner(net) == "lb-a"


def test_every_node_is_reached(net: World) -> None:
    seen = {get(net, "cdn")[0]["node"] for _ in range(6)}

    assert seen == {"cp-1", "worker-1", "worker-2"}


def test_the_cdn_names_the_client_and_its_header_stays(net: World) -> None:
    (seen,) = get(net, "cdn", {"CF-Connecting-IP": "192.0.2.7", "X-Forwarded-For": "192.0.2.99"})

    assert seen["client"] == "192.0.2.7"
    assert seen["headers"]["cf-connecting-ip"] == "192.0.2.7"
    assert seen["headers"]["x-forwarded-for"] == "192.0.2.7"
    assert seen["headers"]["x-forwarded-proto"] == "http"


def test_nobody_else_names_a_client(net: World) -> None:
    claims = {
        "CF-Connecting-IP": "192.0.2.7",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "https",
        "X-Real-IP": "192.0.2.7",
        "True-Client-IP": "192.0.2.7",
        "Forwarded": "for=192.0.2.7",
    }
    (seen,) = get(net, "stranger", claims)

    assert seen["client"] == STRANGER
    assert "192.0.2.7" not in json.dumps(seen)
    assert seen["headers"]["x-forwarded-for"] == STRANGER
    assert seen["headers"]["x-forwarded-proto"] == "http"


LEAVING = """
import http.client, json, sys
seen = []
for _ in range(6):
    connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=4)
    connection.request(sys.argv[2], "/leaving")
    seen.append(connection.getresponse().status)
print(json.dumps(sorted(set(seen))))
"""


@pytest.mark.parametrize(("method", "seen"), [("GET", [200]), ("POST", [200, 502])])
def test_a_request_that_one_ingress_leaves_without_an_answer_is_asked_of_another_if_that_is_safe(
    net: World, method: str, seen: list[int]
) -> None:
    """An ingress that leaves closes connections on which a request is on its way."""
    done = net.run("cdn", [sys.executable, "-c", LEAVING, VIP, method])

    assert json.loads(done.stdout) == seen


def test_clients_that_share_a_connection_of_the_cdn_are_told_apart(net: World) -> None:
    clients = ["192.0.2.7", "192.0.2.8", "192.0.2.7", "2001:db8::7"] * 3
    seen = get(net, "cdn", *({"CF-Connecting-IP": client} for client in clients))

    assert [one["client"] for one in seen] == clients


def test_a_header_that_is_no_address_leaves_the_cdns_own(net: World) -> None:
    (seen,) = get(net, "cdn", {"CF-Connecting-IP": "not an address"})

    assert seen["client"] == CDN


def test_over_https_the_ingress_meets_tls_behind_a_proxy_header_that_names_the_client(
    net: World,
) -> None:
    (seen,) = get(net, "cdn", {"CF-Connecting-IP": "192.0.2.7", "Host": "echo.lab.test"}, tls=True)

    assert (seen["status"], seen["client"]) == (200, "192.0.2.7")
    assert (seen["tls"], seen["sni"], seen["alpn"]) == ("TLSv1.3", "echo.lab.test", "http/1.1")
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert seen["headers"]["x-forwarded-port"] == "443"


def test_over_https_a_stranger_is_named_by_its_own_address(net: World) -> None:
    claims = {"CF-Connecting-IP": "192.0.2.7", "X-Forwarded-Proto": "http"}
    (seen,) = get(net, "stranger", claims, tls=True)

    assert (seen["status"], seen["client"], seen["tls"]) == (200, STRANGER, "TLSv1.3")
    assert seen["headers"]["x-forwarded-proto"] == "https"


def test_over_http_the_ingress_meets_no_tls(net: World) -> None:
    (seen,) = get(net, "cdn", {"CF-Connecting-IP": "192.0.2.7"})

    assert (seen["client"], seen["tls"]) == ("192.0.2.7", None)
    assert seen["headers"]["x-forwarded-proto"] == "http"


@pytest.mark.parametrize("host", ["echo.lab.test:443", "echo.lab.test."])
def test_the_name_asked_for_in_tls_is_the_host_without_port_and_last_dot(
    net: World, host: str
) -> None:
    (seen,) = get(net, "cdn", {"Host": host}, tls=True)

    assert (seen["status"], seen["sni"]) == (200, "echo.lab.test")
    assert seen["headers"]["host"] == host


def test_clients_that_share_a_tls_connection_of_the_cdn_are_told_apart(net: World) -> None:
    clients = ["192.0.2.7", "192.0.2.8", "192.0.2.7", "2001:db8::7"] * 3
    seen = get(net, "cdn", *({"CF-Connecting-IP": client} for client in clients), tls=True)

    assert [(one["client"], one["tls"]) for one in seen] == [(each, "TLSv1.3") for each in clients]


def test_a_node_without_the_ingress_gets_no_requests(net: World) -> None:
    process = net.nodes["worker-2"]  # type: ignore[attr-defined]
    tell(process, 503)
    until(lambda: states(net, "worker-2") == {"DOWN"}, "worker-2 is down in both backends", 10)

    for tls in (False, True):
        assert {get(net, "cdn", tls=tls)[0]["node"] for _ in range(6)} == {"cp-1", "worker-1"}

    tell(process, 200)
    until(lambda: states(net, "worker-2") == {"UP"}, "worker-2 is up in both backends", 10)


def states(world: World, node: str) -> set[str]:
    """What the backends for HTTP and HTTPS think of a node."""
    return {counted(world, name, node)["status"] for name in ("ingress_http", "ingress_https")}


def tell(process: subprocess.Popen[bytes], status: int) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{status}\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"set\n"


def test_the_statistics_count_requests_on_the_management_network_only(net: World) -> None:
    before = int(counted(net, "service", "FRONTEND")["req_tot"])
    get(net, "cdn")

    assert int(counted(net, "service", "FRONTEND")["req_tot"]) == before + 1
    said = net.python("cdn", GET, "198.18.10.11", "8404", "http", "[{}]")
    assert json.loads(said) == {"error": "ConnectionRefusedError"}


def test_the_api_answers_through_both_vips(net: World) -> None:
    assert api(net, VIP)["status"] == 200
    assert api(net, MANAGEMENT)["status"] == 200


def test_a_reload_is_seen_to_succeed(net: World) -> None:
    said = within(net, "lb-a", haproxy.RELOAD)

    assert (said.returncode, said.stderr) == (0, "")
    assert get(net, "cdn")[0]["status"] == 200


KEPT = """
import http.client, sys
kept = http.client.HTTPConnection(sys.argv[1], 80, timeout=5)
for _ in range(2):
    kept.request("POST", "/", "x")
    answer = kept.getresponse()
    answer.read()
    print(answer.status, answer.will_close, flush=True)
    if not answer.will_close:
        sys.stdin.readline()
"""


def test_a_reload_closes_no_idle_connection_before_it_has_said_so(net: World) -> None:
    client = net.start("cdn", [sys.executable, "-c", KEPT, VIP])
    assert client.stdin is not None
    assert client.stdout is not None
    assert client.stdout.readline() == b"200 False\n"
    before = daemons(net, "lb-a", "haproxy")
    assert within(net, "lb-a", haproxy.RELOAD).returncode == 0
    until(lambda: set(daemons(net, "lb-a", "haproxy")) - set(before), "another process", 10)
    time.sleep(1)
    client.stdin.write(b"\n")
    client.stdin.flush()
    assert client.stdout.readline() == b"200 True\n"


def test_a_reload_that_the_new_process_cannot_follow_is_seen_to_fail(net: World) -> None:
    broken = "frontend broken\n    mode http\n    bind /nowhere/broken.sock\n"
    path = f"{haproxy.DIRECTORY}/99-broken.cfg"
    within(net, "lb-a", "/bin/sh", "-c", f"printf '%b' '{broken}' > {path}")

    said = within(net, "lb-a", haproxy.RELOAD)

    assert said.returncode == 1
    assert "HAProxy did not take the new configuration; the old process goes on" in said.stderr
    assert get(net, "cdn")[0]["status"] == 200
    within(net, "lb-a", "rm", path)
    assert within(net, "lb-a", haproxy.RELOAD).returncode == 0


def test_a_reload_of_keepalived_interrupts_nothing(net: World) -> None:
    for name in ("lb-a", "lb-b"):
        os.kill(inside(net, name, "keepalived"), signal.SIGHUP)
    reloaded = time.monotonic()

    while time.monotonic() < reloaded + 4:
        assert owner(net) == "lb-a"
        time.sleep(0.05)


def test_a_haproxy_that_hangs_loses_the_vips(net: World) -> None:
    def frozen() -> Felt:
        pids, asking = daemons(net, "lb-a", "haproxy"), stream(net)
        stopped = time.monotonic()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: owner(net) == "lb-b", "lb-b owns both VIPs", 12)
        assert get(net, "cdn")[0]["status"] == 200
        assert api(net, MANAGEMENT)["status"] == 200
        said = ended(asking, stopped)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        until(lambda: owner(net) == "lb-a", "lb-a has both back after its delay", 20)
        return said

    assert_felt(frozen, FROZEN)


@pytest.mark.parametrize("returns", [True, False])
def test_a_haproxy_that_dies_is_felt_no_longer_than_a_move_takes(net: World, returns: bool) -> None:
    """By the word of its unit alone: keepalived's own question says here that all is well."""

    def killed() -> Felt:
        within(net, "lb-a", "mv", keepalived.ALIVE, f"{keepalived.ALIVE}.real")
        lay(net, "lb-a", {keepalived.ALIVE: CONTENT})
        broken = f"{haproxy.DIRECTORY}/99-broken.cfg"
        if not returns:
            within(net, "lb-a", "/bin/sh", "-c", f"echo 'broken' >{broken}")
        asking, died = stream(net), time.monotonic()
        for pid in daemons(net, "lb-a", "haproxy"):
            with contextlib.suppress(ProcessLookupError):  # a worker ends with its master
                os.kill(pid, signal.SIGKILL)
        until(lambda: owner(net) == "lb-b", "lb-b owns both VIPs", 12)
        assert get(net, "cdn")[0]["status"] == 200
        assert api(net, VIP)["status"] == 200
        said = ended(asking, died)
        within(net, "lb-a", "mv", f"{keepalived.ALIVE}.real", keepalived.ALIVE)
        within(net, "lb-a", "rm", "-f", broken)
        until(lambda: owner(net) == "lb-a", "lb-a has both back after its delay", 30)
        return said

    assert_felt(killed, KILLED)


def test_a_haproxy_that_spins_ends_itself_and_loses_the_vips(net: World) -> None:
    lay(net, "lb-a", SPIN)
    assert within(net, "lb-a", haproxy.RELOAD).returncode == 0
    asked = "exec 3<>/dev/tcp/127.0.0.1/8499; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3"
    assert within(net, "lb-a", "/bin/bash", "-c", asked).returncode == 0
    until(lambda: owner(net) == "lb-b", "lb-b owns both VIPs", 40)
    assert get(net, "cdn")[0]["status"] == 200
    log = net.log("lb-a")
    until(lambda: "is about to kill the process" in log.read_text(), "its watchdog says so", 20)

    within(net, "lb-a", "rm", *SPIN)
    until(lambda: owner(net) == "lb-a", "lb-a has both back after its delay", 30)

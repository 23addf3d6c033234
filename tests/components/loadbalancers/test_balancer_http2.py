"""Certificates by the name asked for, and HTTP/2 from a visitor to a pod: a balancer before a real
Traefik, gRPC through both, and gRPC to a service beside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from components.loadbalancers.haproxy import FURTHER
from components.platform.ingress import traefik as controller
from tests.components import certificates
from tests.components.balancer_client import ask, request
from tests.components.balancer_world import CDN, VIP, balancer_files, stack_of, start_balancer
from tests.components.loadbalancers.test_balancer_traefik import LACKING, NODE, TRAEFIK, flags
from tests.components.platform import platform_args
from tests.components.world import World, until

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(LACKING is not None, reason=LACKING or ""),
]

SERVER = """
import concurrent.futures, grpc, sys
class Calls(grpc.GenericRpcHandler):
    def service(self, call):
        def echo(messages, context):
            about = dict(context.invocation_metadata())
            for message in messages:
                yield message + b" " + about["x-forwarded-for"].encode()
            context.set_trailing_metadata((("x-trailer", sys.argv[1]),))
        return grpc.stream_stream_rpc_method_handler(echo)
pool = concurrent.futures.ThreadPoolExecutor(4)
server = grpc.server(pool, handlers=[Calls()])
server.add_insecure_port(sys.argv[2])
server.start()
print("ready", flush=True)
server.wait_for_termination()
"""
"""A gRPC server, NAME ADDRESS: each message of a stream with the client's address; a trailer."""

CALL = """
import grpc, json, sys
address, name, authority = sys.argv[1:4]
credentials = grpc.ssl_channel_credentials(open(sys.argv[4], "rb").read())
channel = grpc.secure_channel(address, credentials, (("grpc.ssl_target_name_override", name),))
call = channel.stream_stream(authority)(
    iter((b"one", b"two")), timeout=15, metadata=(("cf-connecting-ip", "192.0.2.7"),)
)
try:
    said = [each.decode() for each in call]
    print(json.dumps({"said": said, "trailer": dict(call.trailing_metadata())["x-trailer"]}))
except grpc.RpcError as error:
    print(json.dumps({"code": str(error.code()), "details": error.details()}))
"""
SEEN = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.set_alpn_protocols(sys.argv[3].split(","))
with socket.create_connection((sys.argv[1], 443), timeout=5) as connection:
    with context.wrap_socket(connection, server_hostname=sys.argv[2] or None) as tls:
        print(ssl.DER_cert_to_PEM_cert(tls.getpeercert(True)).strip(), tls.selected_alpn_protocol())
"""
DIRECT = 30310
NAMES = {"": "first.lab.test", "shops": "shop.test", "wild": "*.wild.test"}


@pytest.fixture(scope="module")
def pems() -> dict[str, str]:
    return {called: certificates.self_signed(name) for called, name in NAMES.items()}


@pytest.fixture(scope="module")
def net(pems: dict[str, str]) -> Iterator[World]:
    content = controller.values(platform_args.site())["providers"]["file"]["content"]["http"]
    routes = {
        "http": {
            **content,
            "routers": {"calls": {"rule": "PathPrefix(`/`)", "service": "calls"}},
            "services": {
                "calls": {"loadBalancer": {"servers": [{"url": "h2c://127.0.0.1:50051"}]}}
            },
        }
    }
    stack = stack_of(
        ingress={"http2": True},
        routes=[
            {"name": "direct", "prefixes": ["/direct"], "node_port": DIRECT, "http2": True},
            {"name": "deaf", "prefixes": ["/deaf"], "node_port": DIRECT},
            {"name": "old", "prefixes": ["/old"]},
        ],
        certificate={
            "source": "self-signed",
            "names": [NAMES[""]],
            "further": [{"name": each, "names": [NAMES[each]]} for each in ("shops", "wild")],
        },
    )
    with World() as world:
        for bridge in ("mgmt", "lan"):
            world.bridge(bridge)
        world.space("cdn")
        world.plug("cdn", "eth0", "lan", f"{CDN}/32")
        world.ip("cdn", "route", "add", "198.18.10.0/24", "dev", "eth0", "src", CDN)
        world.space("lb-a")
        world.plug("lb-a", "eth0", "mgmt", "198.18.0.21/24")
        world.plug("lb-a", "eth1", "lan", "198.18.10.11/24")
        world.ip("lb-a", "route", "add", f"{CDN}/32", "dev", "eth1")
        world.space("cp-1")
        world.plug("cp-1", "eth0", "lan", f"{NODE}/24")
        for name, address in (("pod", "127.0.0.1:50051"), ("direct", f"0.0.0.0:{DIRECT}")):
            started = world.start("cp-1", [sys.executable, "-c", SERVER, name, address])
            assert started.stdout is not None
            assert started.stdout.readline() == b"ready\n"
        path = world.file("routes.yaml", json.dumps(routes))
        world.access = world.file("access.log", "")  # type: ignore[attr-defined]
        log = ["--accesslog=true", f"--accesslog.filepath={world.access}"]  # type: ignore[attr-defined]
        world.start("cp-1", [str(TRAEFIK.path / "traefik"), *flags(str(path)), *log])
        world.ca = world.file("ca.pem", pems[""])  # type: ignore[attr-defined]
        files = balancer_files(stack, "lb-a", pems[""])
        files |= {FURTHER.format(name=each): pems[each] for each in ("shops", "wild")}
        start_balancer(world, "lb-a", files)
        until(lambda: "said" in call(world, "/pod/Echo"), "a call is answered", 60)
        until(lambda: "said" in call(world, "/direct/Echo"), "... beside the ingress", 30)
        yield world


def call(world: World, method: str) -> dict[str, Any]:
    arguments = (f"{VIP}:443", NAMES[""], method, str(world.ca))  # type: ignore[attr-defined]
    text = world.python("cdn", CALL, *arguments)
    answer: dict[str, Any] = json.loads(text.splitlines()[-1])
    return answer


@pytest.mark.parametrize(("method", "server"), [("/pod/Echo", "pod"), ("/direct/Echo", "direct")])
def test_grpc_reaches_a_pod_and_its_trailers_come_back(
    net: World, method: str, server: str
) -> None:
    assert call(net, method) == {"said": ["one 192.0.2.7", "two 192.0.2.7"], "trailer": server}


def test_a_service_that_speaks_http2_alone_is_not_reached_without_the_setting(net: World) -> None:
    assert "said" not in call(net, "/deaf/Echo")


@pytest.mark.parametrize(
    ("method", "protocol"), [("/pod/Echo", "HTTP/2.0"), ("/old/Echo", "HTTP/1.1")]
)
def test_the_ingress_is_asked_over_http2_where_that_is_set(
    net: World, method: str, protocol: str
) -> None:
    call(net, method)

    def logged() -> list[str]:
        lines = net.access.read_text(encoding="utf-8").splitlines()  # type: ignore[attr-defined]
        return [line for line in lines if method in line]

    until(lambda: bool(logged()), "the request stands in Traefik's log")
    assert f'"POST {method} {protocol}"' in logged()[-1]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("first.lab.test", ""),
        ("shop.test", "shops"),
        ("a.wild.test", "wild"),
        ("a.b.wild.test", ""),
        ("", ""),
    ],
)
def test_the_certificate_is_that_of_the_name_asked_for_else_the_first(
    net: World, pems: dict[str, str], asked: str, shown: str
) -> None:
    said = net.python("cdn", SEEN, VIP, asked, "h2,http/1.1")

    assert said.rpartition(" ")[2] == "h2"
    assert said.rpartition(" ")[0] in pems[shown]


def test_a_visitor_without_http2_is_answered(net: World) -> None:
    assert net.python("cdn", SEEN, VIP, "shop.test", "http/1.1").endswith(" http/1.1")
    (seen,) = ask(net, "cdn", request(tls=True))
    assert seen["status"] > 0

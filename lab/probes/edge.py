"""Promises seen from outside: VIPs, the whole chain, what is not reachable, the way out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address
from typing import Any

from lab.probes.result import promise, until
from lab.probes.world import World, script

REQUESTS = 30
REDIRECTIONS = (301, 302, 307, 308)
NODE_PORTS = (30000, 32767)
SCANNED = [(1, 1024), (2379, 2381), (3780, 3784), (4240, 4250), (6443, 6443), (7472, 7473)]
SCANNED += [(7946, 7946), (8000, 8500), (9100, 9110), (9234, 9234), (9878, 9900)]
SCANNED += [(9962, 9965), (10248, 10260), NODE_PORTS]


def owners(world: World) -> dict[str, list[str]]:
    """Every VIP of the stack and the machines that hold it at this moment: all are asked at once,
    since an address that moves meanwhile would be seen twice, or nowhere."""
    names = (*world.role("router"), *world.role("balancer"))
    with ThreadPoolExecutor(len(names)) as pool:
        held = dict(zip(names, pool.map(world.addresses, names), strict=True))
    vips = [
        str(address) for group in world.stack.routers.vips for address in (*group.wan, *group.lan)
    ]
    vips += [
        str(address)
        for front in world.stack.balancers.vips
        for address in (*front.lan, *front.management)
    ]
    return {vip: [name for name, have in held.items() if vip in have] for vip in vips}


def one_owner_each(world: World) -> str:
    """Exactly one machine holds each VIP."""

    def settled() -> str | None:
        seen = owners(world)
        if all(len(names) == 1 for names in seen.values()):
            return ", ".join(f"{vip} on {names[0]}" for vip, names in seen.items())
        raise AssertionError(
            "; ".join(f"{vip} on {', '.join(names) or 'no machine'}" for vip, names in seen.items())
        )

    return until(settled, 15, "a VIP has not exactly one owner")


def demo(world: World) -> Any:
    """The demonstration service's settings."""
    promise(world.stack.platform.demo is not None, "the stack has no demo service")
    return world.stack.platform.demo


def request(world: World, place: str, address: str, *, tls: bool, **more: Any) -> list[Any]:
    """Requests for the demo service from a place to an address."""
    spec = {
        "address": address,
        "port": 443 if tls else 80,
        "tls": tls,
        "host": demo(world).host,
        "ca": world.outputs.get("certificate_authority") if tls else None,
        **more,
    }
    answers: list[Any] = world.ask(place, "get", spec)
    return answers


def all_good(answers: Iterable[Any], client: str, scheme: str) -> tuple[set[str], set[str]]:
    """Nodes and pods that answered; every answer must be a 200, from a pod that saw the client's
    address and the `scheme` (http or https) of its request."""
    nodes, pods = set(), set()
    for number, answer in enumerate(answers, 1):
        what = answer["error"] or answer["json"]
        promise(answer["status"] == 200, f"request {number}: {answer['status']}: {what}")
        headers = {key.lower(): values for key, values in answer["json"]["headers"].items()}
        seen = headers.get("x-real-ip", [""])[0]
        promise(seen == client, f"request {number}: the pod saw {seen or 'nobody'}, not {client}")
        proto = headers.get("x-forwarded-proto", [""])[0]
        promise(
            proto == scheme,
            f"request {number}: the pod saw scheme {proto or 'none'}, not {scheme}: "
            "an application would redirect for ever",
        )
        nodes.add(answer["json"]["node"])
        pods.add(answer["json"]["pod"])
    return nodes, pods


def public_vips(world: World) -> list[str]:
    """Every group's, in order."""
    return [str(address) for group in world.stack.routers.vips for address in group.wan]


def redirected(world: World) -> bool:
    """Whether whoever asks by HTTP is sent to HTTPS."""
    return world.stack.balancers.redirect_to_https or world.stack.cdn.always_use_https


def all_redirected(answers: Iterable[Any]) -> None:
    """Every answer sends the visitor to HTTPS."""
    for number, answer in enumerate(answers, 1):
        what = answer["error"] or answer["status"]
        promise(answer["status"] in REDIRECTIONS, f"request {number}: {what}, not sent to HTTPS")


def public_doors(world: World) -> list[str]:
    """Where a visitor knocks: at the CDN's edge where there is one, else at the public VIPs."""
    return public_vips(world) if world.edge is None else [world.edge.address]


def authority(world: World, tls: bool = True) -> str | None:
    """Whose certificates (PEM) a visitor believes there; none is asked for without TLS."""
    if not tls:
        return None
    if world.edge is not None:
        return world.edge.authority
    believed: str | None = world.outputs.get("certificate_authority")
    return believed


def through_the_chain(world: World, count: int = REQUESTS) -> str:
    """HTTP and HTTPS from the client outside, through every public VIP, to every pod."""
    client = str(world.topology.nodes["client"].address_on("users"))
    seen_nodes: set[str] = set()
    seen_pods: set[str] = set()
    slowest, answered = 0.0, 0
    doors = public_doors(world)
    for door in doors:
        for tls in (False, True):
            answers = request(world, "client", door, tls=tls, ca=authority(world, tls), count=count)
            if not tls and redirected(world):
                all_redirected(answers)
                continue
            nodes, pods = all_good(answers, client, "https" if tls else "http")
            answered += len(answers)
            seen_nodes |= nodes
            seen_pods |= pods
            slowest = max(slowest, *(answer["seconds"] for answer in answers))
    if demo(world).every_node and count >= REQUESTS:
        wanted = set(
            world.nodes if world.stack.cluster.schedule_on_control_planes else world.role("worker")
        )
        promise(wanted <= seen_nodes, f"no answer from {', '.join(sorted(wanted - seen_nodes))}")
    return (
        f"{answered} answers from {len(seen_pods)} pods on "
        f"{', '.join(sorted(seen_nodes))}, client {client} seen each time, slowest {slowest:.3f} s"
    )


def hairpin(world: World) -> str:
    """A node reaches the public VIPs from inside."""
    vips = public_vips(world)
    for node in world.nodes:
        for vip in vips:
            answer = request(world, node, vip, tls=False)[0]
            what = answer["error"] or answer["status"]
            good = REDIRECTIONS if redirected(world) else (200,)
            promise(answer["status"] in good, f"{node} to {vip}: {what}")
    return f"{', '.join(world.nodes)} reach {', '.join(vips)}"


def nothing_else_open(world: World) -> str:
    """From outside only the public ports answer, and only to the CDN."""
    public = public_vips(world)
    own = [str(spec.wan) for spec in world.stack.routers.machines]
    allowed = {(vip, port) for vip in public for port in world.stack.routers.public_ports}
    spec: dict[str, Any] = {"addresses": [*public, *own], "ports": SCANNED}
    seen = {(address, port) for address, port in world.ask("client", "scan", spec, 300)}
    promise(seen == allowed, f"the CDN's side sees {sorted(seen)}, not just {sorted(allowed)}")
    strange = world.ask("stranger", "scan", {**spec, "addresses": public, "ports": [(1, 1024)]})
    promise(not strange, f"a stranger outside the CDN's ranges reaches {strange}")
    inside = through_router(world)
    return f"only {sorted(allowed)}, nothing for a stranger, {inside}"


def through_router(world: World) -> str:
    """From the WAN segment, with a route through a router, no machine inside answers."""
    lan = str(world.stack.networks.lan.cidr)
    pods = str(world.stack.networks.pods)
    inside = [str(spec.lan) for spec in world.machines.values()]
    namespace = world.topology.namespace("isp")
    for spec in world.stack.routers.machines:
        routes = [[prefix, "via", str(spec.wan)] for prefix in (lan, pods)]
        try:
            for route in routes:
                _ip(namespace, "replace", route)
            ports = [(22, 22), (80, 80), (443, 443), (2379, 2380), (6443, 6443), (10250, 10250)]
            ports += [(30000, 30100)]
            question = {"addresses": inside, "ports": ports, "timeout": 1.0}
            found = world.ask("isp", "scan", question)
        finally:
            for route in routes:
                _ip(namespace, "delete", route)
        promise(not found, f"through {spec.name} the WAN reaches {found}")
    return f"{len(inside)} machines unreachable through the routers"


def _ip(namespace: str, verb: str, route: list[str]) -> None:
    subprocess.run(
        ["ip", "-n", namespace, "route", verb, *route],
        check=False,
        capture_output=True,
        timeout=10,
    )


def outbound(world: World) -> str:
    """A node's connection to the outside leaves with the VIP's address."""
    vips = {str(address) for group in world.stack.routers.vips for address in group.wan}
    outside = str(world.topology.nodes["stranger"].address_on("internet"))
    for node in world.nodes:
        spec = json.dumps({"address": outside, "port": 8099, "timeout": 15})
        listener = subprocess.Popen(
            world.argv("stranger", ["python3", "-c", script("listen"), spec]),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert listener.stdout is not None
        try:
            promise(listener.stdout.readline() == "ready\n", "the listener outside did not start")
            world.run(node, ["bash", "-c", f"exec 3<>/dev/tcp/{outside}/8099"], seconds=15)
            peer = json.loads(listener.stdout.readline() or "null")
        finally:
            listener.kill()
            listener.wait()
        promise(peer is not None, f"{node} does not reach {outside}")
        promise(peer[0] in vips, f"{node} leaves with {peer[0]}, not with a public VIP")
    return f"{', '.join(world.nodes)} leave with {', '.join(sorted(vips))}"


def ipv6(world: World) -> str:
    """Routers forward IPv6 where the stack has it on a visitor's way, and have no other addresses
    of it; they take no router advertisements."""
    on = world.stack.networks.ipv6
    vips = {str(each) for vip in world.stack.routers.vips for each in (*vip.wan6, *vip.lan6)}
    for router in world.role("router"):
        argv = [
            "sysctl",
            "-n",
            *(f"net.ipv6.conf.all.{key}" for key in ("forwarding", "accept_ra")),
        ]
        values, wanted = world.text(router, argv).split(), ["1" if on else "0", "0"]
        promise(values == wanted, f"{router}: forwarding, accept_ra are {values}, not {wanted}")
        own = {str(value) for _, value in world.machines[router] if isinstance(value, IPv6Address)}
        shown = world.text(router, ["ip", "-6", "-oneline", "address", "show", "scope", "global"])
        held = {line.split()[3].partition("/")[0] for line in shown.splitlines()}
        promise(own <= held, f"{router} lacks IPv6 addresses: {', '.join(sorted(own - held))}")
        others = held - own - vips
        promise(not others, f"{router} has IPv6 addresses of its own: {', '.join(sorted(others))}")
    return "forwarded as the stack says, no router advertisements, no other global address"

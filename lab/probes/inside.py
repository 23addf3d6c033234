"""Promises seen from inside: NodePorts, the LoadBalancer IP, the API, counters, manifests."""

from __future__ import annotations

import json
from typing import Any

from components.host.payload import check_request, command_line
from lab.probes.edge import demo, request, through_the_chain
from lab.probes.result import promise
from lab.probes.world import World
from ops.checks import haproxy, kubernetes, manifests
from settings.models import API_SERVER_PORT


def node_ports(world: World) -> str:
    """Every NodePort on every node that has a pod of the ingress, asked from a machine on the LAN;
    which have one, their own health checks say."""
    ports, replicas = world.outputs["node_ports"], world.stack.platform.ingress.replicas
    asker = world.role("router")[0]
    tried, serving = 0, []
    for node in world.nodes:
        address = str(world.machines[node].lan)
        if ports["health"] is not None:
            tried += 1
            spec = {"address": address, "port": ports["health"], "path": "/healthz"}
            health = world.ask(asker, "get", {**spec, "host": address, "tls": False})[0]
            if replicas is not None and health["status"] == 503:
                continue
            promise(health["status"] == 200, f"{node} health check: {health['error'] or health}")
        serving.append(node)
        for name, tls in (("http", False), ("https", True)):
            spec = {"tls": tls, "port": ports[name], "ca": None}
            answer = request(world, asker, address, **spec)[0]
            what = answer["error"] or answer["status"]
            promise(answer["status"] == 200, f"{node} {name}: {what}")
            tried += 1
    wanted = min(replicas or len(world.nodes), len(world.nodes))
    promise(len(serving) >= wanted, f"of {wanted} nodes only {', '.join(serving) or 'none'} serve")
    return f"{tried} of {tried} answer on {', '.join(serving)}"


def load_balancer_ip(world: World) -> str:
    """The ingress' LoadBalancer IP, asked from a machine on the LAN."""
    address = world.outputs["load_balancer_ip"]
    asker = world.role("router")[0]
    for port, tls in ((80, False), (443, True)):
        # The certificate there is the ingress' own: the service's is at the balancers.
        answer = request(world, asker, address, tls=tls, ca=None)[0]
        what = answer["error"] or answer["status"]
        promise(answer["status"] == 200, f"{address}:{port}: {what}")
    return f"{address} answers {asker} on 80 and 443 from {answer['json']['node']}"


def api_vips(world: World) -> str:
    """The Kubernetes API behind both VIPs, with the cluster's own certificate."""
    authority = world.text(world.control_plane, ["cat", "/etc/kubernetes/pki/ca.crt"])
    port = world.stack.balancers.api_port
    asked = []
    for group in world.stack.balancers.vips:
        places = [(str(address), "runner") for address in group.management]
        places += [(str(address), world.nodes[-1]) for address in group.lan]
        for address, place in places:
            spec = {"address": address, "port": port, "tls": True, "host": address}
            answer = world.ask(place, "get", {**spec, "ca": authority, "path": "/readyz"})[0]
            ok = answer["status"] == 200 and answer["error"].strip() == "ok"
            promise(ok, f"{address}:{port} from {place}: {answer['status']} {answer['error']}")
            asked.append(f"{address} from {place}")
    return ", ".join(asked)


def every_control_plane(world: World) -> str:
    """Each control plane's own API server answers, and so its own member of etcd."""
    names = world.role("control_plane")
    for name in names:
        server = f"--server=https://{world.machines[name].lan}:{API_SERVER_PORT}"
        config = "--kubeconfig=/etc/kubernetes/admin.conf"
        asked = ["kubectl", config, server, "--request-timeout=5s", "get", "--raw", "/readyz/etcd"]
        answer = world.text(name, asked, seconds=15).strip()
        promise(answer == "ok", f"{name}: etcd is {answer or 'silent'}")
    return f"{', '.join(names)}: etcd ok"


def _statistics(world: World, balancer: str) -> list[dict[str, str]]:
    """Every row of HAProxy's statistics, asked on the management leg (management guide, 9.1)."""
    address = str(world.machines[balancer].management)
    port = world.stack.balancers.stats_port
    spec = {"address": address, "port": port, "host": address, "path": "/;csv", "raw": True}
    answer = world.ask("runner", "get", spec)[0]
    promise(answer["status"] == 200, f"{balancer} statistics: {answer['error'] or answer}")
    return haproxy.rows(answer["text"])


def servers(world: World, balancer: str) -> list[haproxy.Row]:
    """The row of every server that a balancer has: `pxname`, `svname`, `status` and more."""
    return haproxy.servers(_statistics(world, balancer))


def haproxy_sessions(world: World, balancer: str) -> dict[str, int]:
    """Sessions so far of each proxy's total row."""
    return {
        f"{row['pxname']}/{row['svname']}": int(row["stot"] or 0)
        for row in _statistics(world, balancer)
        if row["svname"] in haproxy.TOTALS
    }


def packets(world: World, router: str) -> dict[str, int]:
    """Packets counted so far by each named nftables counter."""
    listing = json.loads(world.text(router, ["nft", "--json", "list", "counters"]))
    rows: list[dict[str, Any]] = [row["counter"] for row in listing["nftables"] if "counter" in row]
    return {row["name"]: int(row["packets"]) for row in rows}


def crossed_both_tiers(world: World) -> str:
    """Requests move the counters of a router and of a balancer."""
    before = _counted(world)
    through_the_chain(world, 5)
    after = _counted(world)
    grown = {
        key: after[key] - before.get(key, 0) for key in after if after[key] > before.get(key, 0)
    }
    for role in ("router", "balancer"):
        machines = world.role(role)
        moved = sorted(key for key in grown if key.split(":")[0] in machines)
        promise(bool(moved), f"no counter of a {role} moved")
    shown = [f"{key} +{value}" for key, value in sorted(grown.items())]
    return ", ".join(shown[:6])


def _counted(world: World) -> dict[str, int]:
    counted = {}
    for router in world.role("router"):
        for name, value in packets(world, router).items():
            counted[f"{router}:{name}"] = value
    for balancer in world.role("balancer"):
        for name, value in haproxy_sessions(world, balancer).items():
            counted[f"{balancer}:{name}"] = value
    return counted


def manifests_true(world: World) -> str:
    """What was pushed to every machine is what stands there."""
    drifted: list[str] = []
    layers = 0
    for name in world.machines:
        # One string: ssh hands it to the shell there, as the program does.
        argv = [*world.ssh(name), command_line("check")]
        report = json.loads(world.local(argv, check_request()))
        layers += len(report)
        drifted += manifests.drifted(name, report)
    promise(not drifted, "; ".join(drifted))
    return f"{layers} manifests on {len(world.machines)} machines"


def cluster_ready(world: World) -> str:
    """Every node is Ready and every pod runs."""
    nodes = json.loads(world.kubectl("get", "nodes", "-o", "json"))["items"]
    wrong = kubernetes.ready(nodes, world.nodes)
    promise(not wrong, "; ".join(wrong))
    pods = json.loads(world.kubectl("get", "pods", "-A", "-o", "json"))["items"]
    waiting = kubernetes.waiting(
        (pod["metadata"]["namespace"], pod["metadata"]["name"], pod["status"]["phase"])
        for pod in pods
    )
    promise(not waiting, ", ".join(waiting))
    return f"{len(nodes)} nodes Ready, {len(pods)} pods running, demo at {demo(world).host}"

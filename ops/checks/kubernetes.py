"""The cluster, as its own API tells of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ops.checks.model import Check, Seen, Verdict, of_roles, plural, texts
from ops.question import Machine, Question, command
from ops.site import Site
from settings.models import API_SERVER_PORT

ADMIN = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--request-timeout=10s")
NODES = command("nodes", *ADMIN, "get", "nodes", "-o", "json")
_COLUMNS = "N:.metadata.namespace,P:.metadata.name,S:.status.phase,H:.spec.nodeName"
PODS = command(
    "pods", *ADMIN, "get", "pods", "-A", "--no-headers", "-o", f"custom-columns={_COLUMNS}"
)
VERSION = command("api version", *ADMIN, "version", "-o", "json")
ETCD = "etcd"
HERE = "api from here"
"""Asked by this machine itself, of the management VIP."""
SKEW = 3
"""Minor versions that a kubelet may be older than the API server (kubernetes.io, version skew
policy)."""


def ready(nodes: Iterable[Mapping[str, Any]], wanted: Iterable[str]) -> list[str]:
    """A sentence for each node that is not Ready, lacks, or is none of the stack's."""
    wrong, names = [], set()
    for node in nodes:
        name = node["metadata"]["name"]
        names.add(name)
        told = [c for c in node["status"]["conditions"] if c["type"] == "Ready"]
        if [each["status"] for each in told] != ["True"]:
            why = "".join(f": {each['message']}" for each in told if each.get("message"))
            wrong.append(f"node {name} is not Ready{why}")
    expected = set(wanted)
    if names != expected:
        wrong.append(f"nodes are {sorted(names)}, not {sorted(expected)}")
    return wrong


def cordoned(nodes: Iterable[Mapping[str, Any]], maintenance: Container[str] = ()) -> list[str]:
    """A sentence for each node that takes no new pod, and is not in maintenance, or that takes
    some and is."""
    wrong = []
    for node in nodes:
        name = node["metadata"]["name"]
        out, wanted = bool(node["spec"].get("unschedulable")), name in maintenance
        if out and not wanted:
            wrong.append(f"node {name} is cordoned: it takes no new pod")
        if wanted and not out:
            wrong.append(f"node {name} takes new pods, and maintenance.machines names it")
    return wrong


def waiting(pods: Iterable[tuple[str, str, str]]) -> list[str]:
    """`NAMESPACE/NAME PHASE` of each pod that neither runs nor is done."""
    return [
        f"{namespace}/{name} {phase}"
        for namespace, name, phase in pods
        if phase not in ("Running", "Succeeded")
    ]


def listed(text: str) -> Iterator[tuple[str, str, str]]:
    """Namespace, name and phase of each line of `PODS`."""
    for line in text.splitlines():
        namespace, name, phase, *_ = line.split()
        yield namespace, name, phase


def skewed(kubelets: Mapping[str, str], server: str, wanted: str) -> list[str]:
    """A sentence for each kubelet that the API server's version does not bear, and for each
    version that is not the stack's (`cluster.kubernetes_version`)."""
    wrong = []
    told = {"the API server": server} | {
        f"{name}'s kubelet": each for name, each in kubelets.items()
    }
    for what, version in told.items():
        if version.lstrip("v") != wanted.lstrip("v"):
            wrong.append(f"{what} is {version}, cluster.kubernetes_version says {wanted}")
    for name, version in kubelets.items():
        behind = _minor(server) - _minor(version)
        if behind < 0:
            wrong.append(f"{name}'s kubelet {version} is newer than the API server {server}")
        if behind > SKEW:
            wrong.append(f"{name}'s kubelet {version} is {behind} minor versions behind {server}")
    return wrong


def _minor(version: str) -> int:
    return int(version.lstrip("v").split(".")[1])


def _first(seen: Seen, question: str) -> tuple[str | None, list[str]]:
    """Of several control planes that are asked the same, the first good answer."""
    good, wrong = texts(seen, question)
    return next(iter(good.values()), None), wrong


def nodes_ready(seen: Seen) -> Verdict:
    """Nodes, by any control plane."""
    text, wrong = _first(seen, NODES.name)
    if text is None:
        return Verdict(wrong=tuple(wrong))
    items = json.loads(text)["items"]
    away = set(seen.site.stack.maintenance.machines)
    wrong = [*ready(items, (each.name for each in seen.site.nodes)), *cordoned(items, away)]
    named = [each.name for each in seen.site.nodes if each.name in away]
    more = f", in maintenance: {', '.join(named)}" if named else ""
    return Verdict(wrong=tuple(wrong), said=f"{plural(len(items), 'node')} Ready{more}")


def versions(seen: Seen) -> Verdict:
    """Versions and their skew."""
    text, wrong = _first(seen, NODES.name)
    told, more = _first(seen, VERSION.name)
    if text is None or told is None:
        return Verdict(wrong=(*wrong, *more))
    server = json.loads(told)["serverVersion"]["gitVersion"]
    kubelets = {
        node["metadata"]["name"]: node["status"]["nodeInfo"]["kubeletVersion"]
        for node in json.loads(text)["items"]
    }
    wrong = skewed(kubelets, server, seen.site.stack.cluster.kubernetes_version)
    return Verdict(
        wrong=tuple(wrong), said=f"API server and {plural(len(kubelets), 'kubelet')}: {server}"
    )


def pods_run(seen: Seen) -> Verdict:
    """Pods, by any control plane."""
    text, wrong = _first(seen, PODS.name)
    if text is None:
        return Verdict(wrong=tuple(wrong))
    pods = list(listed(text))
    return Verdict(wrong=tuple(waiting(pods)), said=f"{plural(len(pods), 'pod')} run")


def _own_etcd(_: Site, machine: Machine) -> Sequence[Question]:
    if machine.role != "control_plane":
        return ()
    server = f"--server=https://{machine.lan}:{API_SERVER_PORT}"
    return (command(ETCD, *ADMIN, server, "get", "--raw", "/readyz/etcd"),)


def etcd(seen: Seen) -> Verdict:
    """Each control plane's own API server, and so its own member of etcd."""
    good, wrong = texts(seen, ETCD)
    wrong += [
        f"{name}: etcd is {text.strip() or 'silent'}"
        for name, text in good.items()
        if text.strip() != "ok"
    ]
    return Verdict(wrong=tuple(wrong), said=f"{', '.join(good)}: etcd ok")


def api_here(seen: Seen) -> Verdict:
    """The management VIP, with the cluster's own certificate."""
    answer = seen.here.get(HERE)
    if answer is None:
        return Verdict(wrong=("there is no output kubeconfig or api_endpoints",))
    if answer.status or answer.out.strip() != "ok":
        return Verdict(wrong=(f"from here: {answer.words}",))
    return Verdict(said="/readyz of the management VIP says ok, as this machine sees it")


_PLANES = ("control_plane",)
READY = Check(
    name="every node is Ready",
    layer="cluster",
    asks=of_roles(*_PLANES, asked=(NODES,)),
    judge=nodes_ready,
    remedy="read `journalctl -u kubelet -u containerd` on the node; `kubectl uncordon NODE` takes "
    "one back that was drained by hand, `pulumi up` one that was in maintenance",
    page="docs/cluster.md",
)
VERSIONS = Check(
    name="the cluster's versions are the stack's",
    layer="cluster",
    asks=of_roles(*_PLANES, asked=(NODES, VERSION)),
    judge=versions,
    remedy="run `kubeadm upgrade` on the control planes first, then restart the kubelets; or put "
    "the version back",
    page="docs/cluster.md#what-a-change-does-to-a-cluster-that-runs",
)
RUN = Check(
    name="every pod runs",
    layer="cluster",
    asks=of_roles(*_PLANES, asked=(PODS,)),
    judge=pods_run,
    remedy="`kubectl describe pod -n NAMESPACE NAME` tells what it waits for",
    page="docs/platform.md",
)
MEMBERS = Check(
    name="every member of etcd answers",
    layer="cluster",
    asks=_own_etcd,
    judge=etcd,
    remedy="read `crictl logs` of its etcd, and its disk's fill; one that is lost is replaced with "
    "its machine",
    page="docs/cluster.md#several-control-planes",
)
API = Check(
    name="the API answers on the management VIP",
    layer="cluster",
    asks=lambda _, __: (),
    judge=api_here,
    remedy="who holds the VIP, and does its HAProxy see a control plane up? this machine must be "
    "on the management network",
    page="docs/loadbalancers.md#looking",
)

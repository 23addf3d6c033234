"""A node's turn in an upgrade, as kubectl sees it: `turn.py VERB …`, on a control plane.

    permit VERSION                  the API server and every kubelet may be followed by VERSION
    drain NAME SOFTWARE SECONDS     no new pods, and those there leave, as their budgets allow
    leave NAME SOFTWARE SECONDS     the same, unless the node is at SOFTWARE and not out
    back NAME SOFTWARE SECONDS      Ready with SOFTWARE, then it takes pods again

SOFTWARE is `kubernetes=VERSION runtime=VERSION`, of packages. What the program needs to know about
a node stands in the node's annotations: a turn that was cut off goes on where it stopped, and a
node that somebody else had cordoned stays so. The standard library alone, beside `skew`, whose text
stands before this one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from components.cluster.scripts.skew import kubelet_refusal, refusal

Json = dict[str, Any]

OUT = "layered-cloud/upgrade"
"""Annotation of a node whose turn is under way: `cordoned` by it, or `found` cordoned before."""
SOFTWARE = "layered-cloud/software"
"""Annotation: what a node was last brought to."""
API_SECONDS = 120
AWAY = re.compile(
    r"was refused|connection reset|connection lost|unexpected EOF|: EOF|TLS handshake timeout"
    r"|i/o timeout|etcdserver: (leader changed|request timed out|no leader)",
    re.IGNORECASE,
)
"""kubectl's words where nobody refused anything: the API server, or its etcd, is being replaced."""
MIRROR = "kubernetes.io/config.mirror"
AGAIN = "run `pulumi up` again, which goes on from here"


class Refused(Exception):
    """What stops the turn; the text says whom it concerns and what would be right."""


class Away(Refused):
    """Nobody answered."""


Failures = type[Exception] | tuple[type[Exception], ...]
ANY: Failures = (Refused, subprocess.TimeoutExpired)


def kubectl(*words: str, seconds: float = 30) -> str:
    """What kubectl prints; raises `Refused` with its words. An API server that is away, as it is
    while its own turn goes on, is waited for: what is asked here can be asked twice."""
    return patiently(Away, *words, seconds=seconds)


def patiently(awaited: Failures, *words: str, seconds: float = 30) -> str:
    """The same, again and again while it ends by what is awaited, `API_SECONDS` at most."""
    deadline = time.monotonic() + API_SECONDS
    while True:
        try:
            return asked(*words, seconds=seconds)
        except awaited:
            if time.monotonic() >= deadline:
                raise
            time.sleep(1)


def asked(*words: str, seconds: float = 30) -> str:
    """The same, once; raises `Away` where nobody answered."""
    done = subprocess.run(
        ["kubectl", *words], capture_output=True, text=True, timeout=seconds + 30, check=False
    )
    if done.returncode != 0:
        told = done.stderr.strip() or f"kubectl {words[0]}: status {done.returncode}"
        raise Away(told) if AWAY.search(told) else Refused(told)
    return done.stdout


def listed(*words: str) -> list[Json]:
    """The objects that `kubectl get` finds."""
    items: list[Json] = json.loads(kubectl("get", *words, "--output", "json"))["items"]
    return items


def node_of(name: str) -> Json:
    found = kubectl("get", "node", name, "--ignore-not-found", "--output", "json")
    if not found.strip():
        raise Refused(f"{name} is no node of the cluster")
    node: Json = json.loads(found)
    return node


def noted(node: Json) -> Mapping[str, str]:
    return node["metadata"].get("annotations") or {}


def annotate(name: str, **values: str | None) -> None:
    """Set annotations of ours by their short names (`upgrade`, `software`), or take them away."""
    words = [
        f"layered-cloud/{key}-" if value is None else f"layered-cloud/{key}={value}"
        for key, value in values.items()
    ]
    kubectl("annotate", "node", name, "--overwrite", *words)


def wanted_of(software: str) -> dict[str, str]:
    return dict(each.split("=", 1) for each in software.split())


def runs(node: Json, software: str) -> bool:
    """Whether the node says that it runs these releases; their packages' revisions it cannot."""
    wanted, info = wanted_of(software), node["status"]["nodeInfo"]
    kubernetes = f"v{wanted['kubernetes'].partition('-')[0]}"
    number = r"(?:^|[:v/])(\d+\.\d+\.\d+)"
    asked = re.search(number, wanted["runtime"])
    has = re.search(number, str(info.get("containerRuntimeVersion")))
    runtime = asked is None or has is None or asked[1] == has[1]
    return bool(info.get("kubeletVersion") == kubernetes and runtime)


def ready(node: Json) -> bool:
    conditions = node["status"].get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def due(node: Json, software: str) -> bool:
    """A node that was never annotated is judged by what it says that it runs."""
    known = noted(node)
    return OUT in known or not runs(node, software) or known.get(SOFTWARE, software) != software


def await_api() -> None:
    """An API server that has just begun forbids even its administrator for some seconds."""
    try:
        patiently(ANY, "get", "--raw", "/readyz", "--request-timeout", "5s")
    except ANY as failure:
        raise Refused(f"the API does not answer within {API_SECONDS} s: {failure}") from None


def permit(version: str) -> None:
    """Every refusal at once."""
    api = json.loads(kubectl("get", "--raw", "/version"))["gitVersion"]
    found = [refusal(api.lstrip("v"), version)]
    for node in listed("nodes"):
        has = node["status"]["nodeInfo"]["kubeletVersion"].lstrip("v")
        found.append(kubelet_refusal(node["metadata"]["name"], has, version))
    problems = [each for each in found if each is not None]
    if problems:
        raise Refused("\n".join(problems))


def takes_pods(node: Json) -> bool:
    tainted = any(
        each["effect"] in {"NoSchedule", "NoExecute"} for each in node["spec"].get("taints") or ()
    )
    return ready(node) and not node["spec"].get("unschedulable") and not tainted


def leave(name: str, software: str, seconds: int) -> None:
    if due(node_of(name), software):
        drain(name, software, seconds)
    else:
        say(f"{name} is at {software}")


def drain(name: str, software: str, seconds: int) -> None:
    """Leaves the node out, or as it was with the reason why."""
    node = node_of(name)
    version = wanted_of(software)["kubernetes"].partition("-")[0]
    has = node["status"]["nodeInfo"]["kubeletVersion"].lstrip("v")
    problem = refusal(has, version, f"the kubelet of {name}")
    if problem is not None:
        raise Refused(problem)
    mark = noted(node).get(OUT)
    if mark is None:
        mark = "found" if node["spec"].get("unschedulable") else "cordoned"
        annotate(name, upgrade=mark)
    kubectl("cordon", name)
    others = [each for each in listed("nodes") if each["metadata"]["name"] != name]
    if not any(takes_pods(each) for each in others):
        say(f"{name}: no other node takes pods, so that they stay on it")
        return
    told = evict(name, seconds)
    if told:
        if mark == "cordoned":
            kubectl("uncordon", name)
            annotate(name, upgrade=None)
            told.append(f"{name} takes pods again; what is behind it waits. Then {AGAIN}")
        raise Refused("\n".join(told))


def evict(name: str, seconds: int) -> list[str]:
    """Has the pods leave as their budgets allow; returns what kept them, nothing when they left."""
    words = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={seconds}s")
    try:
        kubectl("drain", name, *words, seconds=seconds)
    except (Refused, subprocess.TimeoutExpired) as failure:
        return why(name, seconds) or [str(failure)]
    return []


def why(name: str, seconds: int) -> list[str]:
    """What keeps the node from being empty: each pod, and its budget; empty if nothing does."""
    budgets = listed("poddisruptionbudgets", "--all-namespaces")
    pods = listed("pods", "--all-namespaces", "--field-selector", f"spec.nodeName={name}")
    told = [
        f"  pod {each['metadata']['namespace']}/{each['metadata']['name']}: {reason(each, budgets)}"
        for each in pods
        if leaves(each)
    ]
    if not told:
        return []
    return [f"{name} could not be drained within cluster.drain_seconds ({seconds} s):", *told]


def leaves(pod: Json) -> bool:
    """Whether a drain is about it."""
    known = pod["metadata"]
    owners = {each["kind"] for each in known.get("ownerReferences") or ()}
    done = pod["status"].get("phase") in {"Succeeded", "Failed"}
    mirror = MIRROR in (known.get("annotations") or {})
    return not (done or mirror or "DaemonSet" in owners)


def reason(pod: Json, budgets: Sequence[Json]) -> str:
    known = pod["metadata"]
    if known.get("deletionTimestamp"):
        grace = known.get("deletionGracePeriodSeconds")
        return f"is ending, for which it has {grace} s; raise cluster.drain_seconds"
    for each in budgets:
        same = each["metadata"]["namespace"] == known["namespace"]
        status = each.get("status") or {}
        if same and selects(each["spec"].get("selector"), known.get("labels") or {}):
            if status.get("disruptionsAllowed", 0) > 0:
                continue
            return (
                f"its PodDisruptionBudget {each['metadata']['name']} allows no disruption "
                f"({status.get('currentHealthy')} healthy, {status.get('desiredHealthy')} wanted): "
                "give it a replica more, or the budget room"
            )
    if not known.get("ownerReferences"):
        return "has no controller, so that nothing would make it anew: delete it, or give it one"
    return "did not leave in time; raise cluster.drain_seconds"


def selects(selector: Json | None, labels: Mapping[str, str]) -> bool:
    """Whether a budget's LabelSelector (policy/v1: an empty one selects all) takes the labels."""
    if selector is None:
        return False
    held = [labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()]
    for each in selector.get("matchExpressions") or ():
        key, values = each["key"], each.get("values") or ()
        held.append(
            {
                "In": labels.get(key) in values,
                "NotIn": labels.get(key) not in values,
                "Exists": key in labels,
                "DoesNotExist": key not in labels,
            }[each["operator"]]
        )
    return all(held)


def back(name: str, software: str, seconds: int) -> None:
    """Waits for a node whose turn it was; any other is only noted."""
    mark = noted(node_of(name)).get(OUT)
    if mark is not None:
        deadline, words = time.monotonic() + seconds, "its kubelet does not answer the API"
        while True:
            try:
                node = node_of(name)
                if ready(node) and runs(node, software):
                    break
                info = node["status"]["nodeInfo"]
                words = (
                    f"{'Ready' if ready(node) else 'not Ready'}, kubelet {info['kubeletVersion']}, "
                    f"{info.get('containerRuntimeVersion')}"
                )
            except (Refused, subprocess.TimeoutExpired) as failure:
                words = str(failure)
            if time.monotonic() >= deadline:
                raise Refused(
                    f"{name} is not Ready with {software} within {seconds} s ({words}); it takes "
                    f"no pods meanwhile. Read `journalctl -u kubelet` on {name}, then {AGAIN}"
                )
            time.sleep(1)
        if mark == "cordoned":
            kubectl("uncordon", name)
    annotate(name, software=software, upgrade=None)


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(argv: Sequence[str]) -> int:
    """Exit status 1 for what stops the turn, told on stderr."""
    verb, rest = argv[0], argv[1:]
    try:
        await_api()
        if verb == "permit":
            permit(rest[0])
        else:
            told = {"drain": drain, "leave": leave, "back": back}
            told[verb](rest[0], rest[1], int(rest[2]))
    except (Refused, subprocess.TimeoutExpired) as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

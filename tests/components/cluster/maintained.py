"""Two nodes as a real API server has them, and the texts of maintenance against it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.cluster import maintenance, turns
from components.cluster.scripts import turn
from lab.software import goitems
from tests.components.cluster import nodes
from tests.components.platform.api_server import ApiServer, api_server, lacking

# Every field is required (core/v1, NodeSystemInfo).
INFO = ["machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion"]
INFO += ["kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture"]
AWAY = "export SERVER=https://127.0.0.1:1\n"
"""Before a text: kubectl asks where nobody listens."""
TEXTS = {
    "cordon": maintenance.cordon("worker-1"),
    "empty": maintenance.empty("worker-1", 20),
    "back": maintenance.back("worker-1"),
}


def node(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
    }


def pod(name: str, owner: str, grace: int = 0, **spec: Any) -> dict[str, Any]:
    owned = {"apiVersion": "apps/v1", "kind": owner, "name": name, "uid": name, "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **{"name": name, "namespace": "default"},
            **{"labels": {"app": name}, "ownerReferences": [owned]},
        },
        "spec": {
            **{"nodeName": "worker-1", "terminationGracePeriodSeconds": grace},
            **{"containers": [{"name": "c", "image": "c"}], **spec},
        },
    }


TEMPLATE = {
    "metadata": {"labels": {"app": "ingress"}},
    "spec": {"containers": [{"name": "c", "image": "c"}]},
}
OBJECTS: list[dict[str, Any]] = [
    node("worker-1"),
    node("worker-2"),
    {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "default"},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "ingress", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "ingress"}}, "template": TEMPLATE},
    },
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web-stays", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    },
    pod("ingress", "DaemonSet"),
    pod("web", "ReplicaSet"),
    pod("cache", "ReplicaSet", volumes=[{"name": "v", "emptyDir": {}}]),
]


@dataclass(frozen=True)
class World:
    """The API server, and a kubectl for the texts, as a control plane has one."""

    api: ApiServer
    programs: Path

    def begin(self, text: str) -> subprocess.Popen[str]:
        """A shell text as the agent runs one."""
        return subprocess.Popen(
            ["/bin/bash", "-eu", "-o", "pipefail", "-c", text],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": f"{self.programs}:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"},
            start_new_session=True,
        )

    def run(self, verb: str, away: str = "") -> tuple[int, str]:
        """Exit status and what went to stderr; `away` stands before the text."""
        text = TEXTS[verb]
        if away:
            text = text.replace(f"API_SECONDS = {turn.API_SECONDS}", "API_SECONDS = 0")
        return self.ended(f"{away}{text}")

    def ended(self, text: str) -> tuple[int, str]:
        """The same of any text."""
        started = self.begin(text)
        _, err = started.communicate(timeout=300)
        return started.returncode, err

    def turn_ends(self) -> tuple[int, str]:
        """The end of the node's turn in an upgrade, by the program of the upgrade itself."""
        self.says(
            *("node", "worker-1"),
            nodeInfo={**dict.fromkeys(INFO, "none"), "kubeletVersion": "v1.36.3"},
        )
        its = turns.turn(nodes.worker())
        return self.ended(its.leave().replace("python3 - leave", "python3 - back", 1))

    def must(self, *words: str, given: Any = None) -> str:
        done = self.api.kubectl(*words, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def patch(self, kind: str, name: str, what: Any, *words: str) -> None:
        self.must("patch", kind, name, "--type=merge", f"--patch={json.dumps(what)}", *words)

    def says(self, kind: str, name: str, **status: Any) -> None:
        """In place of its kubelet, or of the controllers."""
        self.patch(kind, name, {"status": status}, "--subresource=status")

    def is_ready(self, name: str, status: str = "True") -> None:
        self.says("node", name, conditions=[{"type": "Ready", "status": status}])
        # The admission of nodes has put a taint there, which a controller would take away.
        self.patch("node", name, {"spec": {"taints": None}})

    def budget(self, allowed: int) -> None:
        generation = int(self.must("get", "pdb", "web-stays", "-ojsonpath={.metadata.generation}"))
        counts = {"currentHealthy": 1 + allowed, "desiredHealthy": 1, "expectedPods": 1}
        self.says(
            *("pdb", "web-stays"),
            **{"observedGeneration": generation, "disruptionsAllowed": allowed, **counts},
        )

    def node(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.must("get", "node", "worker-1", "--output=json"))
        return found

    def standing(self) -> tuple[bool, str | None]:
        """Whether it is cordoned, and our mark."""
        found = self.node()
        marks = found["metadata"].get("annotations") or {}
        return bool(found["spec"].get("unschedulable")), marks.get("layered-cloud/maintenance")

    def pods(self) -> set[str]:
        return set(self.must("get", "pods", "-ojsonpath={.items[*].metadata.name}").split())


@contextmanager
def served(folder: Path) -> Iterator[World]:
    """Until it is left, with two nodes and their pods, and a budget that allows nothing."""
    reason = lacking()
    if reason is not None:
        pytest.skip(reason)
    with api_server(folder) as api:
        programs = folder / "bin"
        programs.mkdir()
        enter = ["nsenter", f"--target={api.process.pid}", "--net"]
        words = [*enter, str(goitems.KUBECTL.executable("kubectl"))]
        kubectl = programs / "kubectl"
        kubectl.write_text(
            f"#!/bin/sh\nexec {shlex.join(words)} --kubeconfig={folder}/kubeconfig "
            '${SERVER:+--server="$SERVER"} "$@"\n'
        )
        kubectl.chmod(0o755)
        (programs / "python3").symlink_to(sys.executable)
        made = World(api, programs)
        for each in OBJECTS:
            made.must("create", "--filename=-", given=each)
        for name in ("worker-1", "worker-2"):
            made.is_ready(name)
        for name in ("ingress", "web", "cache"):
            ready = [{"type": "Ready", "status": "True"}]
            made.says("pod", name, phase="Running", conditions=ready)
        made.budget(0)
        yield made

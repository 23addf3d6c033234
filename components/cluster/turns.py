"""The shell texts of an upgrade, node by node. Pure.

What must happen to a machine before its pods leave (somebody who sends it visitors is told first)
belongs before `leave`: a resource that `NAME-drain` depends on.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from components.cluster.actions import MARKERS, ignoring
from components.cluster.containerd import part as runtime
from components.cluster.kubeadm import part as tools
from components.cluster.kubelet import part as kubelet
from components.cluster.model import NodeModel
from components.cluster.render import text
from components.host.part import Package

READY_SECONDS = 300
"""For a restarted kubelet to be Ready with its new version."""
SNAPSHOTS = "/var/backups/layered-cloud/etcd"
"""Where etcd's snapshots lie on the control plane that is asked, root's alone."""
KEPT = 3
"""Snapshots that stay."""
_OF_DNS = ("CoreDNSUnsupportedPlugins", "CoreDNSMigration")
"""kubeadm's checks before an upgrade that fail on a release of CoreDNS which it does not know
(cmd/kubeadm/app/phases/upgrade/preflight.go)."""
_SCRIPTS = Path(__file__).parent / "scripts"
_FUTURE = "from __future__ import annotations\n"
_ENTRY = '\n\nif __name__ == "__main__":'
_SKEW = "from components.cluster.scripts.skew import kubelet_refusal, refusal\n"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One node's turn: `packages` by name with their versions, as the machine calls them.

    `own_dns` is a stack whose own words say CoreDNS's image: that one stays, and kubeadm refuses to
    migrate the configuration of a release that it does not know (corefile-migration).
    """

    name: str
    release: str
    packages: Mapping[str, str]
    runtime: str
    ignored: Sequence[str]
    drain_seconds: int
    own_dns: bool

    @property
    def target(self) -> str:
        """What the node is annotated with when it is there."""
        return f"kubernetes={self.packages['kubelet']} runtime={self.packages[self.runtime]}"

    def leave(self) -> str:
        """On a control plane: takes the node out, unless it runs what it should; a failure names
        the pod and its budget, and leaves the node as it was."""
        words = f'leave {self.name} "{self.target}" {self.drain_seconds}'
        return f"export KUBECONFIG=/etc/kubernetes/admin.conf\n{_program(words)}\n"

    def worker_guard(self) -> str:
        """Holds on a worker whose packages are at their versions, with nothing under way, and which
        is noted at what it runs."""
        return text(
            "upgraded-worker-guard.sh.j2",
            markers=MARKERS,
            packages=self.packages,
            name=self.name,
            target=self.target,
        )

    def worker(self) -> str:
        """On a worker that is out: kubeadm, its work, the other packages, one restart; then it
        awaits itself and takes pods again, by the kubelet's credentials: a node may change itself
        (kubernetes.io, "Using Node Authorization", NodeRestriction), but not its taints."""
        back = _program(f'back {self.name} "{self.target}" {READY_SECONDS}')
        words = {**self._words(), "packages": self.packages}
        return text("upgrade-worker.sh.j2", **words, back=back)

    def control_plane_guard(self) -> str:
        """The same of a control plane, whose static pods and cluster are of the release."""
        return text(
            "upgraded-control-plane-guard.sh.j2",
            markers=MARKERS,
            packages=self.packages,
            release=self.release,
        )

    def control_plane(self) -> str:
        """On a control plane, all of its turn. The first one upgrades what all share, after a
        snapshot of etcd; which one that is the cluster itself says."""
        return text(
            "upgrade-control-plane.sh.j2",
            **self._words(),
            name=self.name,
            target=self.target,
            turn=_program(),
            skip=" --skip-phases addon/coredns" if self.own_dns else "",
            snapshot=f"{SNAPSHOTS}/before-v{self.release}.db",
            save=_save(f"{SNAPSHOTS}/before-v{self.release}.db"),
            drain_seconds=self.drain_seconds,
            ready_seconds=READY_SECONDS,
        )

    def _words(self) -> dict[str, object]:
        rest = {name: each for name, each in self.packages.items() if name != "kubeadm"}
        # Beside "all" kubeadm takes no other name.
        of_dns = _OF_DNS if self.own_dns and "all" not in self.ignored else ()
        return {
            "markers": MARKERS,
            "release": self.release,
            "ignore": ignoring([*self.ignored, *of_dns]),
            "kubeadm": _pinned({"kubeadm": self.packages["kubeadm"]}),
            "software": _pinned(rest),
        }


def turn(node: NodeModel) -> Turn:
    """The node's turn, to what its parts pin."""
    settled: list[Package] = []
    for part in (runtime, kubelet, tools):
        settled += [each for each in part(node).packages if each.settled]
    cluster = node.cluster
    return Turn(
        name=node.name,
        release=cluster.kubernetes_version,
        packages={each.name: str(each.version) for each in settled},
        runtime=cluster.containerd.package,
        ignored=cluster.ignore_preflight_errors,
        drain_seconds=cluster.drain_seconds,
        own_dns="imageTag" in (cluster.cluster_configuration.get("dns") or {}),
    )


def _pinned(packages: Mapping[str, str]) -> str:
    return " ".join(shlex.quote(f"{name}={version}") for name, version in packages.items())


@cache
def _source(name: str) -> str:
    return (_SCRIPTS / f"{name}.py").read_text(encoding="utf-8")


def library() -> str:
    """What a program that asks about nodes may call: `turn.py` without its beginning."""
    return _turn().partition(_ENTRY)[0]


@cache
def _turn() -> str:
    return _source("skew") + _source("turn").replace(_FUTURE, "").replace(_SKEW, "")


def _program(words: str = '"$@"') -> str:
    return f"python3 - {words} <<'PROGRAM'\n{_turn()}PROGRAM"


def _save(path: str) -> str:
    return f"python3 - \"$etcd\" {path} {KEPT} <<'PROGRAM'\n{_source('snapshot')}PROGRAM"

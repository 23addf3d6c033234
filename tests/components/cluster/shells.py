"""The shell texts of the cluster's actions, and nodes that run them with stand-ins for programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from components.cluster import actions, admission, etcd, maintenance, turns
from components.cluster.render import text
from components.host.endpoint import ApiEndpoint
from tests.components.cluster import nodes

API = ApiEndpoint(lan=IPv4Address("198.18.10.10"), management=IPv4Address("198.18.0.10"))
READ = {"cluster.name": '"lab"', "cluster.node_mask": "24"}
OTHERS = {"cluster.name": '"lab"', "cluster.node_mask": "25"}
PLANES = {f"cp-{number}": IPv4Address(f"198.18.10.2{number}") for number in (1, 2, 3)}


def plane(
    *, founder: bool, others: Sequence[str] = ("cp-2", "cp-3"), read: Mapping[str, str] = READ
) -> str:
    """What the machine runs that is called worker-1 here, as all of this module's."""
    return admission.control_plane(
        nodes.control_plane(name="worker-1"),
        ignored=["Swap"],
        read=read,
        founder=founder,
        others=[PLANES[each] for each in others],
    )


TEXTS = {
    "init": actions.init(["Swap", "Mem"], READ),
    "init-guard": actions.init_guard(READ),
    "init-others": actions.init([], OTHERS),
    "init-guard-others": actions.init_guard(OTHERS),
    "reset": actions.reset(),
    "join": admission.join(nodes.worker(), ["Swap"]),
    "join-guard": admission.join_guard(),
    "stale": admission.stale("worker-1"),
    "stale-guard": admission.stale_guard("worker-1"),
    "ask": admission.ask("worker-1"),
    "ask-guard": admission.ask_guard(),
    "asked": admission.asked(),
    "sign": admission.sign("worker-1"),
    "hand-over": admission.hand_over("worker-1"),
    "founder": plane(founder=True),
    "founder-alone": plane(founder=True, others=()),
    "founder-of-others": plane(founder=True, read=OTHERS),
    "further": plane(founder=False),
    "control-plane-guard": admission.control_plane_guard(READ),
    "members": etcd.members(PLANES),
    "members-guard": etcd.members_guard(PLANES),
    "identity": actions.identity(),
    "identity-guard": actions.identity_guard(),
    "identified": actions.identified(),
    "member": text("member.sh.j2", name="worker-1"),
    "leave": text("leave.sh.j2", name="worker-1"),
    "access": actions.access(API, 2),
    "access-guard": actions.access_guard(API, 2),
    "kubeconfig": actions.kubeconfig(API, 2),
    "swap": text("swap.sh.j2"),
    "maintenance-cordon": maintenance.cordon("worker-1"),
    "maintenance-empty": maintenance.empty("worker-1", 300),
    "maintenance-back": maintenance.back("worker-1"),
    **{
        f"upgrade-{name}": getattr(turns.turn(nodes.worker()), name)()
        for name in ("leave", "worker", "worker_guard")
    },
    **{
        f"upgrade-{name}": getattr(turns.turn(nodes.control_plane()), name)()
        for name in ("control_plane", "control_plane_guard")
    },
}


@dataclass
class Node:
    """A directory that stands in for a node's root, with stand-ins on its PATH."""

    root: Path
    secrets: dict[str, str] = field(default_factory=dict)

    def program(self, name: str, body: str) -> None:
        path = self.root / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{self.root}/calls"\n{body}\n')
        path.chmod(0o755)

    def write(self, path: str, text: str) -> None:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def exists(self, path: str) -> bool:
        return (self.root / path.lstrip("/")).exists()

    @property
    def calls(self) -> list[str]:
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def run(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        secrets = self.root / "secrets"
        secrets.mkdir(exist_ok=True)
        for key, value in self.secrets.items():
            (secrets / key).write_text(value)
        text = TEXTS[name].replace("/etc/", f"{self.root}/etc/")
        given: Mapping[str, str] = {
            "PATH": f"{self.root}/bin:{os.environ['PATH']}",
            "SECRETS": str(secrets),
            "TMPDIR": str(self.root),
            **environment,
        }
        return subprocess.run(
            ["/bin/bash", "-eu", "-o", "pipefail", "-c", text],
            capture_output=True,
            text=True,
            env=dict(given),
            stdin=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )


def fresh(tmp_path: Path) -> Node:
    """A machine with nothing of Kubernetes' on it."""
    made = Node(tmp_path)
    (tmp_path / "etc" / "cni" / "net.d").mkdir(parents=True)
    (tmp_path / "etc" / "kubernetes" / "pki").mkdir(parents=True)
    for name in ("systemctl", "journalctl"):
        made.program(name, "")
    return made


def openssl(*argv: object, given: str = "") -> str:
    """What openssl(1) prints."""
    done = subprocess.run(
        ["openssl", *map(str, argv)], input=given, capture_output=True, text=True, check=True
    )
    return done.stdout


def authority(plane: Node, name: str = "kubernetes") -> str:
    """A cluster's authority on a control plane; its certificate."""
    pki = plane.root / "etc/kubernetes/pki"
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 3650, "-subj", f"/CN={name}"),
        *("-keyout", pki / "ca.key", "-out", pki / "ca.crt"),
    )
    return (pki / "ca.crt").read_text()


def beside(node: Node, name: str) -> Node:
    """Another machine of the same test."""
    made = Node(node.root / name)
    (made.root / "etc/kubernetes/pki").mkdir(parents=True)
    return made


def signed(node: Node, plane: Node) -> str:
    """What the control plane prints for the node's own request."""
    node.write("/etc/machine-id", "me\n")
    assert node.run("ask").returncode == 0
    machine, _, request = node.run("asked").stdout.partition("\n")
    assert machine == "me"
    plane.secrets = {"request": request.rstrip("\n")}
    done = plane.run("sign")
    assert done.returncode == 0, done.stderr
    # The provider takes the last line feed off.
    return done.stdout.removesuffix("\n")


INIT = 'case $1 in init) echo conf >"{root}/etc/kubernetes/kubelet.conf" ;; esac'


JOINED = """case $1 in join)
    cat "$3" >"{root}/seen"; cat "$(sed -n 's/ *kubeConfigPath: //p' "$3")" >"{root}/discovery" ;;
esac"""


def kubeadms(node: Node) -> list[str]:
    return [call.split()[1] for call in node.calls if call.startswith("kubeadm ")]

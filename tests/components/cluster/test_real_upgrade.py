"""An upgrade by the real kubeadm, kubectl, etcd and API server: cut off, gone on with, drained.

What is not real beside the kubelet (`real_planes`): the packages. Only one release of the programs
is built here, so that the cluster is made as 1.36.2 by its manifests and by what its nodes say, and
the programs of 1.36.3 stand behind both.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.cluster import admission, birth, kubeadm, turns
from components.cluster.model import NodeModel
from components.cluster.render import text
from lab.software import goitems
from tests.components.cluster import nodes
from tests.components.cluster.real_planes import Lan, Plane, lacking, lan, until
from tests.components.cluster.test_real_planes import ADDRESSES, VIP, World

pytestmark = pytest.mark.cluster

OLD = nodes.cluster(ignore_preflight_errors=["all"], kubernetes_version="1.36.2")
NEW = nodes.cluster(ignore_preflight_errors=["all"], kubernetes_version="1.36.3", drain_seconds=15)
IMAGE = r"image: \S+:(v\S+)"
SNAPSHOT = f"{turns.SNAPSHOTS}/before-v1.36.3.db"
PACKAGES = r"""
mkdir -p /run/packages
cat >/usr/local/bin/host-install <<'STUB'
#!/bin/bash
for each; do
    echo "${each#*=}" >"/run/packages/${each%%=*}"
    echo "$each" >>/run/installed
    case $each in kubelet=*) version=${each#*=}; echo "v${version%-*}" >/run/kubelet-version ;; esac
done
STUB
printf '#!/bin/sh\nfor last; do :; done; cat "/run/packages/$last"\n' >/usr/local/bin/dpkg-query
chmod 755 /usr/local/bin/host-install /usr/local/bin/dpkg-query
host-install containerd.io=2.4.2-1 kubeadm=1.36.2-1.1 kubectl=1.36.2-1.1 kubelet=1.36.2-1.1
: >/run/installed
"""


def model(name: str, new: bool = True) -> NodeModel:
    like = nodes.control_plane(NEW if new else OLD)
    lan = nodes.IPv4Interface(f"{ADDRESSES[name]}/24")
    return nodes.control_plane(
        NEW if new else OLD, name=name, addresses={**like.addresses, "lan": lan}
    )


class Upgrading(World):
    """Control planes, made as an earlier release."""

    def __init__(self, network: Lan, names: Sequence[str]) -> None:
        self.network = network
        self.machines = {name: self.boot(name) for name in names}

    def boot(self, name: str) -> Plane:
        made = self.network.plane(name, ADDRESSES[name])
        made.write(kubeadm.CONFIG, kubeadm.config(model(name, new=False)))
        made.must(PACKAGES)
        return made

    def text(self, name: str) -> str:
        return admission.control_plane(
            model(name, new=False),
            ignored=["all"],
            read=birth.facts(OLD, model(name).networks, nodes.API),
            founder=name == "cp-1",
            others=[model(each).lan for each in self.machines if each != name],
        )

    def stands(self, name: str) -> str:
        machine = self.machines[name]
        machine.secrets = self.handed(name, [each for each in self.machines if each != name])
        done = machine.run(self.text(name), 300)
        assert done.returncode == 0, done.stderr
        return "joined" if any(machine.secrets.values()) else "made"

    def turn(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.machines[name].run(turns.turn(model(name)).control_plane(), 600)

    def upgraded(self, name: str) -> None:
        """Its whole turn, as the action takes it."""
        done = self.turn(name)
        etcd = self.machines[name].run("tail -n 5 /var/log/etcd.yaml.log").stdout
        assert done.returncode == 0, done.stdout + done.stderr + etcd
        assert self.is_done(name)
        assert self.releases(name) == {"v1.36.3"}
        node = json.dumps(self.node(name))
        assert '"unschedulable": true' not in node
        assert '"layered-cloud/software": "kubernetes=1.36.3-1.1 runtime=2.4.2-1"' in node
        assert "layered-cloud/upgrade" not in node

    def is_done(self, name: str) -> bool:
        guard = turns.turn(model(name)).control_plane_guard()
        return self.machines[name].run(guard).returncode == 0

    def releases(self, name: str) -> set[str]:
        """Of the static pods; looked at from outside, since something may run there."""
        manifests = (self.machines[name].root / "etc/kubernetes/manifests").glob("kube-*.yaml")
        return {found for each in manifests for found in re.findall(IMAGE, each.read_text())}

    def node(self, name: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(
            self.machines["cp-1"].kubectl(f"get node {name} --output json")
        )
        return found


@contextmanager
def upgrading(top: Path, *names: str) -> Iterator[Upgrading]:
    """Control planes at 1.36.2, Ready."""
    reason = lacking()
    if reason is not None:
        pytest.skip(reason)
    with lan(top) as network:
        world = Upgrading(network, names)
        world.leads_to(names[0])
        for name in names:
            assert world.stands(name) == ("made" if name == names[0] else "joined")
            until(
                lambda name=name: ready(world, name) == "StandInv1.36.2",  # type: ignore[misc]
                120,
                f"{name} is not Ready",
            )
        yield world


def cut_off(world: Upgrading, name: str) -> None:
    """Killed once kubeadm has changed the first static pod."""
    machine = world.machines[name]
    running = threading.Thread(target=world.turn, args=(name,))
    running.start()
    deadline = time.monotonic() + 240
    while "v1.36.3" not in world.releases(name):
        assert time.monotonic() < deadline, "no static pod was changed"
        assert running.is_alive(), "the turn ended before it was cut off"
        time.sleep(0.1)
    machine.run("for each in $(pidof kubeadm bash); do [ $each = $$ ] || kill -9 $each; done")
    running.join(60)


@pytest.mark.timeout(1800)
def test_an_upgrade_goes_on_where_it_was_cut_off_and_budgets_hold(tmp_path: Path) -> None:
    with upgrading(tmp_path, "cp-1") as world:
        machine = world.machines["cp-1"]
        assert not world.is_done("cp-1")
        cut_off(world, "cp-1")
        assert not world.is_done("cp-1")
        saved = machine.must(f"stat --format '%a %U %Y' {SNAPSHOT}")
        assert saved.startswith("600 root ")
        judged(machine)

        world.upgraded("cp-1")
        # From before the cut: what a second one would save is changed already.
        assert machine.must(f"stat --format '%a %U %Y' {SNAPSHOT}") == saved
        installed = machine.must("cat /run/installed").split()
        assert installed[0] == "kubeadm=1.36.3-1.1"
        assert installed[-3:] == [
            "containerd.io=2.4.2-1",
            "kubelet=1.36.3-1.1",
            "kubectl=1.36.3-1.1",
        ]
        a_budget_is_respected_and_named(world)


def ready(world: Upgrading, name: str) -> str:
    shown = (
        'jsonpath={.status.conditions[?(@.type=="Ready")].reason}{.status.nodeInfo.kubeletVersion}'
    )
    return (
        world.machines["cp-1"]
        .run(f"kubectl --kubeconfig /etc/kubernetes/admin.conf get node {name} --output '{shown}'")
        .stdout
    )


def judged(machine: Plane) -> None:
    """By etcdutl, over the same file."""
    path = machine.root / SNAPSHOT.lstrip("/")
    tool = goitems.ETCD.executable("etcdutl")
    said = subprocess.run(
        [str(tool), "snapshot", "status", str(path), "--write-out", "json"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(said)["totalKey"] > 100


PODS = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: { name: web, namespace: default }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      nodeName: worker-1
      containers: [{ name: web, image: web }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web-stays, namespace: default }
spec: { minAvailable: 1, selector: { matchLabels: { app: web } } }
"""


def patch_status(machine: Plane, kind: str, name: str, status: dict[str, object]) -> None:
    told = json.dumps({"status": status})
    machine.kubectl(f"patch {kind} {name} --subresource status --type merge --patch '{told}'")


def joined(world: Upgrading) -> Plane:
    """A worker with the credentials that kubeadm gives its kubelet."""
    plane, machine = world.machines["cp-1"], world.network.plane("worker-1", "198.18.10.31")
    machine.must(f"{PACKAGES}\nip route replace {VIP}/32 via {ADDRESSES['cp-1']}")
    machine.must(admission.ask("worker-1"))
    this, _, request = machine.must(admission.asked()).rstrip("\n").partition("\n")
    plane.secrets = {"machine": this, "request": request}
    machine.secrets = {"join": plane.must(admission.sign("worker-1")).rstrip("\n")}
    done = machine.run(admission.join(nodes.worker(OLD), ["all"]), 300)
    assert done.returncode == 0, done.stderr
    plane.must(text("member.sh.j2", name="worker-1"))
    until(lambda: ready(world, "worker-1") == "StandInv1.36.2", 120, "the worker is not Ready")
    return machine


def a_node_may_change_nothing_else(machine: Plane) -> None:
    """Node and NodeRestriction, as kubeadm has the API server authorize and admit."""
    own = "kubectl --kubeconfig /etc/kubernetes/kubelet.conf"
    for words in (
        "cordon cp-1",
        "annotate node cp-1 --overwrite layered-cloud/software=mine",
        "taint node worker-1 mine=x:NoSchedule",
    ):
        done = machine.run(f"{own} {words}")
        assert done.returncode != 0, words
        assert "forbidden" in done.stderr.lower(), done.stderr


def a_budget_is_respected_and_named(world: Upgrading) -> None:
    plane = world.machines["cp-1"]
    its = turns.turn(nodes.worker(NEW))
    machine = joined(world)
    plane.write("/run/web.yaml", PODS)
    plane.kubectl("apply --filename /run/web.yaml")
    pod = "get pods --selector app=web --output 'jsonpath={.items[*].metadata.name}'"
    until(lambda: plane.kubectl(pod) != "", 60, "no pod was made")
    (name,) = plane.kubectl(pod).split()
    running = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    patch_status(plane, "pod", name, running)
    healthy = "get pdb web-stays --output 'jsonpath={.status.currentHealthy}'"
    until(lambda: plane.kubectl(healthy) == "1", 60, "the budget does not see the pod")

    done = plane.run(its.leave(), 120)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "worker-1 could not be drained within cluster.drain_seconds (15 s):",
        f"  pod default/{name}: its PodDisruptionBudget web-stays allows no disruption (1 healthy, "
        "1 wanted): give it a replica more, or the budget room",
        "worker-1 takes pods again; what is behind it waits. Then run `pulumi up` again, which "
        "goes on from here",
    ]
    node = json.dumps(world.node("worker-1"))
    assert "unschedulable" not in node
    assert "layered-cloud/upgrade" not in node
    assert plane.kubectl(pod) == name, "the pod left in spite of its budget"

    plane.kubectl("delete pdb web-stays")
    done = plane.run(its.leave(), 120)
    assert done.returncode == 0, done.stderr
    node = json.dumps(world.node("worker-1"))
    assert '"unschedulable": true' in node
    assert '"layered-cloud/upgrade": "cordoned"' in node
    # Again, as after a cut: it stays out.
    assert plane.run(its.leave(), 120).returncode == 0

    a_node_may_change_nothing_else(machine)
    assert machine.run(its.worker_guard()).returncode != 0
    done = machine.run(its.worker(), 300)
    assert done.returncode == 0, done.stderr
    assert machine.run(its.worker_guard()).returncode == 0
    node = json.dumps(world.node("worker-1"))
    assert "unschedulable" not in node
    assert "layered-cloud/upgrade" not in node
    assert '"layered-cloud/software": "kubernetes=1.36.3-1.1 runtime=2.4.2-1"' in node
    installed = machine.must("cat /run/installed")
    # One that comes back only, as one that is new, installs nothing.
    plane.kubectl("annotate node worker-1 layered-cloud/software-")
    assert machine.run(its.worker_guard()).returncode != 0
    assert machine.run(its.worker(), 300).returncode == 0
    assert machine.must("cat /run/installed") == installed
    # What is at its release is left alone.
    done = plane.run(its.leave(), 60)
    assert (done.returncode, done.stderr) == (
        0,
        "worker-1 is at kubernetes=1.36.3-1.1 runtime=2.4.2-1\n",
    )

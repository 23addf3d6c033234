"""Three control planes of real programs: made, cut off, lost, replaced and taken out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from components.cluster import admission, birth, etcd, kubeadm
from components.cluster.control_planes import ControlPlanes
from components.cluster.model import NodeModel
from tests.components.cluster import nodes
from tests.components.cluster.real_planes import Lan, Plane, lacking, lan

pytestmark = pytest.mark.cluster

ADDRESSES = {f"cp-{number}": f"198.18.10.2{number}" for number in (1, 2, 3)}
VIP = "198.18.10.10"
SETTINGS = nodes.cluster(ignore_preflight_errors=["all"])


def model(name: str) -> NodeModel:
    legs = {
        "management": IPv4Interface(f"198.18.0.3{name[-1]}/24"),
        "lan": IPv4Interface(f"{ADDRESSES[name]}/24"),
    }
    return nodes.control_plane(SETTINGS, name=name, addresses=legs)


READ = birth.facts(SETTINGS, model("cp-1").networks, nodes.API)
PLANES = ControlPlanes([model(name) for name in ADDRESSES])


class World:
    """The machines, and the steps that the layer takes on them, in its order."""

    def __init__(self, network: Lan) -> None:
        self.network = network
        self.machines = {name: self.boot(name) for name in ADDRESSES}

    def boot(self, name: str) -> Plane:
        made = self.network.plane(name, ADDRESSES[name])
        made.write(kubeadm.CONFIG, kubeadm.config(model(name)))
        return made

    def leads_to(self, name: str) -> None:
        """In place of the balancers: who has their VIP."""
        for each, machine in self.machines.items():
            verb = "replace" if each == name else "delete"
            machine.run(f"ip address {verb} {VIP}/32 dev lo")
        for each, machine in self.machines.items():
            if each != name:
                machine.must(f"ip route replace {VIP}/32 via {ADDRESSES[name]}")

    def handed(self, name: str, admitters: Sequence[str]) -> dict[str, str]:
        """What the machine is handed by each that is asked."""
        machine = self.machines[name]
        machine.secrets = {}
        if machine.run(admission.ask_guard()).returncode:
            machine.must(admission.ask(name))
        this, _, request = machine.must(admission.asked()).rstrip("\n").partition("\n")
        found = {}
        for each in admitters:
            other = self.machines[each]
            other.secrets = {"machine": this, "request": request}
            if other.run(admission.stale_guard(name)).returncode:
                other.must(admission.stale(name))
                other.must(admission.stale_guard(name))
            found[f"{admission.HANDED}{each}"] = other.must(admission.hand_over(name)).rstrip("\n")
        return found

    def text(self, name: str) -> str:
        return admission.control_plane(
            model(name),
            ignored=["all"],
            read=READ,
            founder=name == "cp-1",
            others=[each.lan for each in PLANES.beside(model(name))],
        )

    def stands(self, name: str) -> str:
        """Makes it a control plane as the action does, and returns what kubeadm was asked."""
        machine = self.machines[name]
        machine.secrets = self.handed(name, [each.name for each in PLANES.admitters(model(name))])
        assert machine.run(admission.control_plane_guard(READ)).returncode != 0
        done = machine.run(self.text(name), 300)
        assert done.returncode == 0, done.stderr
        machine.must(admission.control_plane_guard(READ))
        return "joined" if any(machine.secrets.values()) else "made"

    def cut_off(self, name: str) -> None:
        """The same, killed once etcd was told of the new member."""
        machine = self.machines[name]
        machine.secrets = self.handed(name, [each.name for each in PLANES.admitters(model(name))])
        running = threading.Thread(target=machine.run, args=(self.text(name), 300))
        running.start()
        manifest = machine.root / "etc/kubernetes/manifests/etcd.yaml"
        deadline = time.monotonic() + 120
        while not manifest.exists():
            assert time.monotonic() < deadline, "no etcd was made"
            time.sleep(0.05)
        machine.run("for each in $(pidof kubeadm bash); do [ $each = $$ ] || kill -9 $each; done")
        running.join(60)
        assert machine.run(admission.control_plane_guard(READ)).returncode != 0

    def members(self, at: str) -> list[str]:
        """Addresses of etcd's members."""
        client = (
            "etcd=$(mktemp -d); cp /etc/kubernetes/pki/etcd/ca.crt $etcd/ca.crt\n"
            "for end in crt key; do\n"
            "    cp /etc/kubernetes/pki/apiserver-etcd-client.$end $etcd/client.$end\ndone\n"
        )
        listed = etcd.program("list", "$etcd", [IPv4Address(ADDRESSES[at])])
        others = [line.split()[1] for line in self.machines[at].must(client + listed).splitlines()]
        return sorted([ADDRESSES[at], *others])

    def nodes(self, at: str) -> dict[str, str]:
        """Machine-id by node."""
        each = '{.metadata.name} {.status.nodeInfo.machineID}{"\\n"}'
        shown = f"--output 'jsonpath={{range .items[*]}}{each}{{end}}'"
        lines = self.machines[at].kubectl(f"get nodes {shown}").splitlines()
        return dict(line.split() for line in lines)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    reason = lacking()
    if reason is not None:
        pytest.skip(reason)
    with lan(tmp_path) as network:
        yield World(network)


@pytest.mark.timeout(900)
def test_control_planes_are_made_cut_off_lost_replaced_and_taken_out(world: World) -> None:
    world.leads_to("cp-1")
    assert world.stands("cp-1") == "made"
    authority = world.machines["cp-1"].must("cat /etc/kubernetes/pki/ca.crt")
    assert world.stands("cp-2") == "joined"

    # etcd knows of a third one that is no more than half there.
    world.cut_off("cp-3")
    assert world.stands("cp-3") == "joined"
    assert world.members("cp-2") == sorted(ADDRESSES.values())
    before = world.nodes("cp-2")
    assert set(before) == set(ADDRESSES)

    # The one that made the cluster is lost with its disk. It joins: the cluster stays.
    world.network.lose("cp-1")
    world.machines["cp-1"] = world.boot("cp-1")
    world.leads_to("cp-2")
    assert world.stands("cp-1") == "joined"
    assert world.machines["cp-1"].must("cat /etc/kubernetes/pki/ca.crt") == authority
    assert world.members("cp-1") == sorted(ADDRESSES.values())
    after = world.nodes("cp-1")
    assert {name for name in after if after[name] != before[name]} == {"cp-1"}

    # Nothing is done to what stands.
    world.machines["cp-1"].must(etcd.members_guard(kept("cp-1", "cp-2", "cp-3")))

    # The stack names one alone, and the balancers lead to it: the others lose votes and nodes.
    world.leads_to("cp-1")
    last = world.machines["cp-1"]
    assert last.run(etcd.members_guard(kept("cp-1"))).returncode != 0
    done = last.run(etcd.members(kept("cp-1")), 300)
    assert done.returncode == 0, done.stderr
    last.must(etcd.members_guard(kept("cp-1")))
    assert world.members("cp-1") == [ADDRESSES["cp-1"]]
    assert set(world.nodes("cp-1")) == {"cp-1"}


def kept(*names: str) -> dict[str, IPv4Address]:
    return {name: IPv4Address(ADDRESSES[name]) for name in names}

"""Who is hit, and when all is well again: judged from what a lab's machines say."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.network import Topology
from lab.paths import CHECKOUT
from lab.probes import inside
from lab.probes.drills import NotHere, legs, victims, well
from lab.probes.result import Broken
from lab.probes.world import Unreachable, World
from settings.files import load_stack

STACK = load_stack(CHECKOUT / "Pulumi.lab.yaml")
(ONE,) = STACK.cluster.control_planes
PLANES = [
    ONE.model_copy(update={"name": f"cp-{number}", "lan": ONE.lan + number - 1})
    for number in (1, 2, 3)
]
THREE = STACK.model_copy(
    update={"cluster": STACK.cluster.model_copy(update={"control_planes": PLANES})}
)
HOME = {
    "router-a": {"203.0.113.10", "198.18.10.1"},
    "router-b": set(),
    "lb-a": {"198.18.10.10", "198.18.0.10"},
    "lb-b": set(),
}


@dataclass(frozen=True, kw_only=True)
class Said(World):
    """A lab whose machines say what the test has them say."""

    held: dict[str, set[str]] = field(default_factory=lambda: HOME)
    statistics: str = ""
    words: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def addresses(self, machine: str) -> set[str]:
        return self.held.get(machine, set())

    def run(
        self, place: str, argv: Sequence[str], stdin: str = "", seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        if place in self.silent:
            raise Unreachable(f"{place}: silent")
        return subprocess.CompletedProcess(list(argv), 0, "", "")

    def text(self, place: str, argv: Sequence[str], stdin: str = "", seconds: float = 60) -> str:
        return self.words[f"{place}: {' '.join(argv)}"]

    def ask(self, place: str, name: str, spec: Any, seconds: float = 120) -> Any:
        return [{"status": 200, "text": self.statistics, "error": ""}]


def world(**said: Any) -> Said:
    outputs = said.pop("outputs", {"load_balancer_ip": "198.18.10.200"})
    stack = said.pop("stack", STACK)
    return Said(stack=stack, topology=Topology.default(), outputs=outputs, **said)


def test_the_owner_is_hit() -> None:
    moved = {**HOME, "router-a": set(), "router-b": HOME["router-a"]}
    assert victims.router(world()) == "router-a"
    assert victims.router(world(held=moved)) == "router-b"
    assert victims.balancer(world()) == "lb-a"
    assert victims.worker(world()) == "worker-2"
    assert victims.control_plane(world(stack=THREE)) == "cp-1"


def test_one_control_plane_is_nobodys_drill() -> None:
    with pytest.raises(NotHere, match="one control plane"):
        victims.control_plane(world())


def test_the_first_control_plane_that_answers_is_asked() -> None:
    three = world(stack=THREE, silent={"cp-1"})
    assert three.control_plane == "cp-2"
    assert world().control_plane == "cp-1"
    nobody = world(stack=THREE, silent={"cp-1", "cp-2", "cp-3"})
    with pytest.raises(Unreachable, match="no control plane answers: cp-1: silent; cp-2: silent"):
        assert nobody.control_plane


def test_every_control_plane_is_asked_itself() -> None:
    stack = THREE
    words = {
        f"{spec.name}: kubectl --kubeconfig=/etc/kubernetes/admin.conf --server=https://{spec.lan}"
        ":6443 --request-timeout=5s get --raw /readyz/etcd": "ok"
        for spec in stack.cluster.control_planes
    }
    said = inside.every_control_plane(world(stack=stack, words=words))
    assert said == "cp-1, cp-2, cp-3: etcd ok"
    sick = {**words, next(key for key in words if key.startswith("cp-2")): "failed"}
    with pytest.raises(Broken, match="cp-2: etcd is failed"):
        inside.every_control_plane(world(stack=stack, words=sick))


def test_a_vip_with_two_owners_is_told_and_nobody_hit() -> None:
    with pytest.raises(Broken, match=r"203\.0\.113\.10 is on router-a, router-b"):
        victims.router(world(held={**HOME, "router-b": {"203.0.113.10"}}))


def test_the_announcer_is_the_node_whose_hardware_address_answers() -> None:
    links = {
        f"{node}: ip -json link": json.dumps([{"address": f"02:00:00:00:00:0{index}"}])
        for index, node in enumerate(("cp-1", "worker-1", "worker-2"))
    }
    asked = "router-a: ip -json neigh show 198.18.10.200"
    seen = {asked: json.dumps([{"lladdr": "02:00:00:00:00:01"}])}
    assert victims.announcer(world(words={**links, **seen})) == "worker-1"
    with pytest.raises(NotHere, match="no node answers"):
        victims.announcer(world(words={**links, asked: "[]"}))
    with pytest.raises(NotHere, match="no LoadBalancer IP"):
        victims.announcer(world(outputs={}))


def test_vips_are_at_home_on_their_owners_alone() -> None:
    well.at_home(world())
    moved = {**HOME, "lb-a": set(), "lb-b": HOME["lb-a"]}
    with pytest.raises(Broken, match=r"198\.18\.10\.10 on lb-b, not on lb-a"):
        well.at_home(world(held=moved))
    with pytest.raises(Broken, match="on no machine"):
        well.at_home(world(held={**HOME, "router-a": {"203.0.113.10"}}))


def test_every_server_of_every_balancer_is_up() -> None:
    head = "# pxname,svname,status\n"
    rows = "service,FRONTEND,OPEN\ningress_http,worker-1,{}\ningress_http,BACKEND,UP\n"
    well.servers_up(world(statistics=head + rows.format("UP 1/2")))
    with pytest.raises(Broken, match="lb-a: ingress_http/worker-1 DOWN"):
        well.servers_up(world(statistics=head + rows.format("DOWN")))


def test_legs_are_those_of_the_stacks_bridges(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[tuple[str, ...]] = []

    class Switch:
        topology = Topology.default()

        def port(self, name: str, bridge: str) -> str:
            return f"{name} on {bridge}"

    monkeypatch.setattr(legs, "Hypervisor", Switch)
    monkeypatch.setattr(legs, "AWAY_SECONDS", 0.0)
    for name in ("isolate", "pull", "join"):
        monkeypatch.setattr(
            legs.faults, name, lambda _, *words, name=name: did.append((name, *words))
        )
    legs.dead("wan")(world(), "router-a")
    legs.back("wan")(world(), "router-a")
    legs.away("lan")(world(), "worker-2")
    assert did == [
        ("isolate", "router-a on wan"),
        ("join", "router-a on wan", "wan"),
        ("pull", "worker-2 on lan"),
        ("join", "worker-2 on lan", "lan"),
    ]

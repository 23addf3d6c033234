"""In which order nodes are upgraded, as the engine is told."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from components.cluster import turns
from settings.models import MachineSpec, Stack
from tests.components import stacks
from tests.components.cluster import nodes
from tests.components.cluster.test_cluster_component import COMMAND, command, run, sent
from tests.components.mocks import Registered


def with_workers(count: int, stack: Stack | None = None) -> Stack:
    """The stack with so many workers, alike."""
    chosen = stack or stacks.lab()
    first = chosen.cluster.workers[0]
    workers = [
        MachineSpec.model_validate(
            {
                **first.model_dump(mode="json"),
                "name": f"worker-{number}",
                "vm_id": 200 + number,
                "management": f"198.18.0.{100 + number}",
                "lan": f"198.18.10.{100 + number}",
            }
        )
        for number in range(1, count + 1)
    ]
    return chosen.model_copy(
        update={"cluster": chosen.cluster.model_copy(update={"workers": workers})}
    )


def before(seen: Registered, later: str) -> set[str]:
    """Every command that has ended when `later` begins."""
    names = {each.urn: each.name for each in seen.of_type(COMMAND)}
    found: set[str] = set()
    new = [later]
    while new:
        told = command(seen, new.pop()).dependencies
        fresh = {names[urn] for urn in told if urn in names} - found
        found |= fresh
        new += fresh
    return found


def test_control_planes_come_first_one_after_the_other_and_the_asked_one_begins() -> None:
    seen = run(with_workers(3, stacks.three()))
    order = ["cp-1-upgrade", "cp-2-upgrade", "cp-3-upgrade"]
    for earlier, later in itertools.pairwise(order):
        assert earlier in before(seen, later)
    for number in (1, 2, 3):
        assert set(order) <= before(seen, f"worker-{number}-member")
        assert set(order) <= before(seen, f"worker-{number}-join")


def test_whoever_is_asked_begins() -> None:
    seen = run(stacks.three(), unreachable=["cp-1"])
    assert "cp-2-upgrade" in before(seen, "cp-1-upgrade")
    assert "cp-2-upgrade" in before(seen, "cp-3-upgrade")


@dataclass
class Out:
    """The workers that are out, as an engine sees them that ends no turn before as many as may be
    are out, and for a moment longer."""

    at_once: int
    workers: int
    now: set[str] = field(default_factory=set)
    most: int = 0
    back: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, type_: str, name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        worker = re.fullmatch(r"(worker-\d+)-(member|upgrade)", name)
        if type_ == COMMAND and worker is not None:
            with self.changed:
                if worker[2] == "member":
                    self.now.add(worker[1])
                    self.most = max(self.most, len(self.now))
                else:
                    self.changed.wait_for(self.full, 10)
                    self.changed.wait_for(self.too_many, 0.3)
                    self.now.discard(worker[1])
                    self.back += 1
                self.changed.notify_all()
        return {}

    def full(self) -> bool:
        return len(self.now) >= min(self.at_once, self.workers - self.back)

    def too_many(self) -> bool:
        return self.most > self.at_once


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_as_many_workers_are_out_at_once_as_are_asked_for_and_no_more(at_once: int) -> None:
    out = Out(at_once, 5)
    run(with_workers(5), answer=out.answer, max_unavailable=at_once)
    assert (out.most, out.back, out.now) == (at_once, 5, set())


def test_a_worker_whose_turn_did_not_end_keeps_the_next_in() -> None:
    def answer(_type: str, name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        if name == "worker-1-upgrade":
            raise RuntimeError("the kubelet did not come back")
        asked.append(name)
        return {}

    asked: list[str] = []
    with pytest.raises(Exception, match="the kubelet did not come back"):
        run(with_workers(3), answer=answer, max_unavailable=1)
    assert "worker-1-member" in asked
    assert not {"worker-2-member", "worker-3-member"} & set(asked)


def test_no_worker_depends_on_the_turns_of_others() -> None:
    """A chain through all workers is walked again from each of its links."""
    seen = run(with_workers(4), max_unavailable=1)
    for number in range(1, 5):
        ended = before(seen, f"worker-{number}-upgrade")
        others = [f"worker-{other}-" for other in range(1, 5) if other != number]
        assert not [each for each in ended if each.startswith(tuple(others))]


def test_workers_join_side_by_side_however_few_may_be_out() -> None:
    seen = run(with_workers(4), max_unavailable=1)
    for one, other in itertools.permutations(range(1, 5), 2):
        ended = before(seen, f"worker-{other}-join")
        assert not [each for each in ended if each.startswith(f"worker-{one}-")], other


def test_one_that_leaves_is_drained_before_it_is_reset_and_waits_for_nobody_else() -> None:
    """Who was made later is taken back earlier; what is taken back of a turn is nothing."""
    seen = run(with_workers(3), max_unavailable=1)
    undone = {
        each.name: sent(seen, each.name)["undo"]
        for each in seen.of_type(COMMAND)
        if each.name.startswith("worker-2-") and not each.name.endswith("-node")
    }
    drained, reset = undone.pop("worker-2-certificate"), undone.pop("worker-2-identity")
    assert "kubectl drain worker-2 " in drained
    assert "kubectl delete node worker-2 " in drained
    assert "kubeadm reset" in reset
    assert set(undone.values()) == {None}
    assert "worker-2-identity" in before(seen, "worker-2-certificate")
    assert "worker-2-certificate" in before(seen, "worker-2-join")


def test_a_worker_is_drained_then_changed_then_awaited() -> None:
    seen = run()
    steps = ["worker-1-join", "worker-1-member", "worker-1-upgrade"]
    for earlier, later in itertools.pairwise(steps):
        assert command(seen, earlier).urn in command(seen, later).dependencies
    asked = seen.one(COMMAND, "cp-1-upgrade").inputs["connection"]["host"]
    own = seen.one(COMMAND, "worker-1-node").inputs["connection"]["host"]
    hosts = [command(seen, each).inputs["connection"]["host"] for each in steps[1:]]
    assert hosts == [asked, own]


def test_an_unchanged_release_changes_nothing_and_another_one_what_it_must() -> None:
    one, same = run(), run()
    other = run(kubernetes_version="1.36.9")
    assert [
        e.name for e in one.of_type(COMMAND) if same.one(COMMAND, e.name).inputs != e.inputs
    ] == []
    changed = {
        e.name for e in one.of_type(COMMAND) if other.one(COMMAND, e.name).inputs != e.inputs
    }
    turned = {f"worker-{n}-{what}" for n in (1, 2) for what in ("member", "upgrade")}
    pushed = {"cp-1-node", "worker-1-node", "worker-2-node"}
    assert changed == turned | pushed | {"cp-1-upgrade"}


def test_nobody_is_asked_about_another_step_than_of_his_own_action() -> None:
    seen = run()
    asked = {each.name for each in seen.of_type(COMMAND) if "cluster-steps" in each.before_update}
    assert asked == {"cp-1-upgrade", "worker-1-upgrade", "worker-2-upgrade"}


def test_what_a_push_leaves_is_what_the_turn_brings() -> None:
    seen = run()
    pushed = sent(seen, "worker-1-node")
    brought = turns.turn(nodes.worker()).packages
    assert set(pushed["settled"]) == set(brought)
    assert {name: pushed["packages"][name] for name in brought} == brought


def test_etcd_is_saved_before_the_first_change_and_kubeadm_is_installed_alone() -> None:
    text = turns.turn(nodes.control_plane()).control_plane()
    steps = [
        "turn permit 1.36.3",
        "host-install kubeadm=1.36.3-1.1\n",
        "kubeadm upgrade plan v1.36.3",
        "/before-v1.36.3.db 3 <<",
        "kubeadm upgrade apply v1.36.3 --yes",
        "turn drain cp-1",
        "host-install containerd.io=2.4.2-1 kubelet=1.36.3-1.1 kubectl=1.36.3-1.1\n",
        "systemctl restart kubelet.service",
        "turn back cp-1",
    ]
    places = [text.index(each) for each in steps]
    assert places == sorted(places)


def test_neither_drains_nor_waits_beyond_what_the_action_may_take() -> None:
    seen = run(drain_seconds=900)
    assert sent(seen, "worker-1-member")["seconds"] > 900
    assert sent(seen, "cp-1-upgrade")["seconds"] > 900 + turns.READY_SECONDS
    assert " 900 <<" in sent(seen, "worker-1-member")["do"]

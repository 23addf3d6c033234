"""A node in maintenance: what a control plane is told, and what a real API server makes of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from components.cluster import Maintenance, MaintenanceArgs, maintenance
from components.cluster.scripts import turn
from tests.components import stacks
from tests.components.cluster.maintained import AWAY, TEXTS, World, pod, served
from tests.components.cluster.test_cluster_component import sent
from tests.components.mocks import Registered, run_program
from tests.golden_files import assert_golden

COMMAND = "command:remote:Command"
NAMES = ["worker-1-maintenance", "worker-1-maintenance-drain"]
_PROGRAM = re.compile(r"(<<'PROGRAM'\n).*?(^PROGRAM)", re.S | re.M)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_text_is_what_was_read_and_agreed(name: str) -> None:
    assert_golden(f"cluster/maintenance/{name}.txt", _PROGRAM.sub(r"\1…\n\2", TEXTS[name]))


def component(**over: Any) -> Registered:
    """worker-1 and a control plane that is not asked, of three."""
    stack = stacks.three()
    planes = stacks.machines(stack, "control_plane")
    named = [planes[1], stacks.machines(stack, "worker")[0]]

    def program() -> None:
        args = {"machines": named, "control_plane": planes[0], "drain_seconds": 300, **over}
        Maintenance("maintenance", MaintenanceArgs(**args))

    return run_program(program)


def test_the_control_plane_that_is_asked_does_it_and_only_cordoning_is_taken_back() -> None:
    seen = component()
    assert {each.inputs["connection"]["host"] for each in seen.of_type(COMMAND)} == {"198.18.0.31"}
    for name in ("worker-1", "cp-2"):
        out, drain = (sent(seen, f"{name}-maintenance{more}") for more in ("", "-drain"))
        assert (out["do"], out["undo"]) == (maintenance.cordon(name), maintenance.back(name))
        assert (drain["do"], drain["undo"]) == (maintenance.empty(name, 300), None)
        assert drain["seconds"] > 300


def test_a_machine_that_is_made_anew_is_drained_again() -> None:
    (worker, *_) = stacks.machines(stacks.lab(), "worker")
    first, again = (
        component(machines=[replace(worker, incarnation=life)]) for life in ("one", "another")
    )
    for name in NAMES:
        assert sent(first, name)["do"] == sent(again, name)["do"]
        assert sent(first, name) != sent(again, name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("api")) as made:
        yield made


def until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)


@pytest.mark.timeout(1200)
def test_a_node_is_emptied_as_budgets_allow_and_taken_back(world: World) -> None:
    assert world.run("cordon") == (0, "")
    assert world.standing() == (True, "cordoned")

    status, said = world.run("empty")
    assert status == 1
    assert said.splitlines() == [
        "worker-1 could not be drained within cluster.drain_seconds (20 s):",
        "  pod default/web: its PodDisruptionBudget web-stays allows no disruption (1 healthy, "
        "1 wanted): give it a replica more, or the budget room",
        "worker-1 stays cordoned, and what has left it stays away. Then run `pulumi up` again, "
        "which goes on from here",
    ]
    assert world.pods() == {"ingress", "web"}, "a budget was passed over, or a pod stayed"
    assert world.standing() == (True, "cordoned")

    # Cut off at an eviction that the budget stops, then run from the beginning.
    running = world.begin(TEXTS["empty"].replace("empty worker-1 20", "empty worker-1 120"))
    until(lambda: drains(running.pid), "no drain was begun")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert world.pods() == {"ingress", "web"}
    world.budget(1)
    assert world.run("cordon") == (0, "")
    assert world.run("empty") == (0, "")
    assert world.pods() == {"ingress"}
    assert world.run("empty") == (0, ""), "what is empty is left alone"

    assert world.run("back") == (0, "")
    assert world.standing() == (False, None)
    assert world.run("back") == (0, "")


def drains(session: int) -> bool:
    """Whether a kubectl of that session is draining."""
    listed = subprocess.run(
        ["ps", "-ww", "--no-headers", "-o", "args", "-s", str(session)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "drain worker-1" in listed.stdout


@pytest.mark.timeout(900)
def test_a_node_that_somebody_had_cordoned_stays_so(world: World) -> None:
    world.must("cordon", "worker-1")
    for _ in range(2):
        assert world.run("cordon") == (0, "")
        assert world.standing() == (True, "found")
    assert world.run("back") == (0, "")
    assert world.standing() == (True, None)
    # And what is not ours by now either.
    assert world.run("back") == (0, "")
    assert world.standing() == (True, None)
    world.must("uncordon", "worker-1")


@pytest.mark.timeout(900)
def test_one_that_is_cordoned_while_it_is_named_is_ours_to_uncordon(world: World) -> None:
    """It was found cordoned, a person took it back, and the next update cordoned it."""
    world.must("cordon", "worker-1")
    assert world.run("cordon") == (0, "")
    world.must("uncordon", "worker-1")
    assert world.run("cordon") == (0, "")
    assert world.standing() == (True, "cordoned")
    assert world.run("back") == (0, "")
    assert world.standing() == (False, None)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("ends_first", ["turn", "maintenance"])
def test_of_a_turn_and_maintenance_the_last_to_end_takes_the_node_back(
    world: World, ends_first: str
) -> None:
    """Whichever had cordoned it."""
    world.must("cordon", "worker-1")
    world.must("annotate", "node", "worker-1", f"{turn.OUT}=cordoned")
    assert world.run("cordon") == (0, "")
    assert world.standing() == (True, "cordoned")
    ends = {"turn": world.turn_ends, "maintenance": lambda: world.run("back")}
    assert ends.pop(ends_first)() == (0, "")
    assert world.standing()[0], "it takes pods while the other one is about it"
    (last,) = ends.values()
    assert last() == (0, "")
    assert world.standing() == (False, None)
    marks = world.node()["metadata"].get("annotations") or {}
    assert turn.OUT not in marks
    world.must("annotate", "node", "worker-1", f"{turn.SOFTWARE}-")


@pytest.mark.timeout(900)
def test_a_turn_in_maintenance_leaves_the_node_cordoned(world: World) -> None:
    """The upgrade of a node that is named: it was drained, and stays out."""
    assert world.run("cordon") == (0, "")
    world.must("annotate", "node", "worker-1", f"{turn.OUT}=found")
    assert world.turn_ends() == (0, "")
    assert world.standing() == (True, "cordoned")
    assert world.run("back") == (0, "")
    assert world.standing() == (False, None)
    world.must("annotate", "node", "worker-1", f"{turn.SOFTWARE}-")


@pytest.mark.timeout(900)
def test_without_the_api_nothing_is_touched_and_the_same_again_converges(world: World) -> None:
    world.must("create", "--filename=-", given=pod("served", "ReplicaSet"))
    for verb in ("cordon", "empty"):
        status, said = world.run(verb, AWAY)
        assert status == 1
        assert said.startswith("the API does not answer within 0 s: ")
        assert "127.0.0.1:1 was refused" in said
    assert world.standing() == (False, None)
    assert "served" in world.pods()

    assert world.run("cordon") == (0, "")
    status, said = world.run("back", AWAY)
    assert (status, world.standing()) == (1, (True, "cordoned")), said
    assert world.run("empty") == (0, "")
    assert "served" not in world.pods()
    assert world.run("back") == (0, "")
    assert world.standing() == (False, None)


@pytest.mark.timeout(900)
def test_an_empty_node_needs_no_other_one(world: World) -> None:
    """A control plane where no worker is Ready, say."""
    world.must("cordon", "worker-2")
    found = world.run("empty")
    world.must("uncordon", "worker-2")
    assert found == (0, "")


@pytest.mark.timeout(900)
def test_nothing_is_evicted_where_no_other_node_takes_pods(world: World) -> None:
    world.must("create", "--filename=-", given=pod("only", "ReplicaSet"))
    world.must("cordon", "worker-2")
    status, said = world.run("empty")
    world.must("uncordon", "worker-2")
    assert status == 1
    assert said.startswith("worker-1 is not drained: no other node is Ready and takes pods")
    assert "only" in world.pods()
    world.must("delete", "pod", "only")


@pytest.mark.timeout(900)
def test_a_pod_that_ends_slowly_is_named_unless_its_kubelet_is_away(world: World) -> None:
    world.must("create", "--filename=-", given=pod("slow", "ReplicaSet", grace=600))
    world.says("pod", "slow", phase="Running")
    status, said = world.run("empty")
    assert status == 1
    assert "  pod default/slow: is ending, for which it has 600 s; raise cluster.drain_se" in said
    world.is_ready("worker-1", "Unknown")
    status, said = world.run("empty")
    world.is_ready("worker-1")
    assert (status, said) == (
        0,
        "worker-1 is not Ready: its pods were told to end, which they do once it is back\n",
    )
    world.must("delete", "pod", "slow", "--force", "--grace-period=0")


@pytest.mark.timeout(900)
def test_a_node_that_is_gone_is_nobodys_to_uncordon(world: World) -> None:
    text = maintenance.back("worker-9")
    started = world.begin(text)
    _, err = started.communicate(timeout=300)
    assert (started.returncode, err) == (0, "")
    started = world.begin(maintenance.cordon("worker-9"))
    _, err = started.communicate(timeout=300)
    assert (started.returncode, err) == (1, "worker-9 is no node of the cluster\n")

"""The measurement itself, small: two hosts, one round, by whoever is here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import bench, cost, hosts, inside, peers, record
from benchmark.record import AGAIN, ASKED, CHANGE, EVERYBODY, NO_OP, OURS, Plan
from lab.engine import find_cli
from lab.hypervisor import cgroups
from lab.paths import CHECKOUT
from lab.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """One round on two hosts, of the peers too where their environment was made before."""
    cli = find_cli()
    if cli is None:
        pytest.skip("needs the Pulumi command line, or one built: python -m lab.engine preview")
    if lacks := inside.lacking(2):
        pytest.skip(f"lacks: {'; '.join(lacks)}")
    there = (peers.place() / ".done").exists()
    return Plan(
        size=2,
        runs=1,
        who=EVERYBODY if there else (OURS,),
        bench=bench.bench(cli),
        commit="test",
        venv=str(peers.place()),
        into=str(tmp_path / "runs.jsonl"),
    )


def left() -> list[str]:
    """What a measurement could leave on this machine."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    mounts = Path("/proc/self/mounts").read_text()
    return [
        *cgroups.present(hosts.GROUP),
        *(line for line in links.splitlines() if hosts.BRIDGE in line),
        *(line for line in mounts.splitlines() if str(hosts.AREA) in line),
    ]


def test_everybody_does_everything_once_and_nothing_is_left(plan: Plan) -> None:
    inside.enter(plan)
    runs = record.read(Path(plan.into))
    assert [each.what for each in runs if each.who == OURS] == [CHANGE, NO_OP, ASKED, AGAIN]
    assert {each.who for each in runs} == set(plan.who)
    for each in runs:
        assert each.cost.seconds > 0.1, each
        assert each.cost.cpu > 0.1, each
        assert each.cost.memory > 10, each
    asks = {each.what: each.cost.hosts_cpu for each in runs if each.who == OURS}
    assert asks[NO_OP] < 0.5 * asks[CHANGE], "a no-op of ours asks nobody"
    assert left() == []
    inside.enter(plan)
    assert record.read(Path(plan.into)) == runs, "what is done is not done again"


def test_one_that_is_killed_leaves_nothing_running_and_the_next_one_sweeps(plan: Plan) -> None:
    code = (
        "import sys\nfrom benchmark import inside\nfrom benchmark.record import Plan\n"
        "inside.enter(Plan.read(sys.argv[1]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, plan.to_json()],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: bool(cgroups.members(f"{hosts.HOSTS}/h1")), 300)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert wait_until(lambda: not cgroups.members(hosts.GROUP), 30)
    hosts.sweep()
    assert left() == []


def test_a_command_costs_what_it_and_its_children_take(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not (cgroups.ROOT / "cpuacct").is_dir():
        pytest.skip("needs root and control groups of version 1")
    env = {"PATH": "/usr/bin:/bin"}

    def of(text: str, seconds: float = 60) -> cost.Cost:
        argv = ["sh", "-c", text]
        return cost.measure(argv, env=env, cwd=tmp_path, log=tmp_path / "log", seconds=seconds)

    try:
        child = f"{sys.executable} -c 'kept = b\"x\" * 200_000_000; sum(range(10_000_000))'"
        busy, idle = of(f"{child} & wait"), of("sleep 0.5")
        assert idle.seconds >= 0.5
        assert idle.cpu < 0.1 < busy.cpu
        assert idle.memory < 20 < busy.memory
        with pytest.raises(cost.CommandError, match=r"sh -c .* ended with 3 .*\nwords"):
            of("echo words; exit 3")
        with pytest.raises(cost.CommandError, match="did not end"):
            of("sleep 60", seconds=0.2)
        of("sleep 60 & true")
        assert cgroups.members(cost.HERE) == set(), "what it left running is ended with it"
    finally:
        hosts.sweep()

"""Whose turn it is, what each side runs, and what the hosts say of it afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import bench, hosts, inside, peers, pushes, record
from benchmark.hosts import Running
from benchmark.ours import Spec
from benchmark.playbook import Host
from benchmark.record import AGAIN, ASKED, CHANGE, EVERYBODY, NO_OP, OURS, PLAIN, TUNED
from benchmark.sides import Ours, Untrue, truth
from benchmark.wish import HAPROXY, pieces
from tests.benchmark.runs import run
from tests.benchmark.test_benchmark_record import PLAN

HOST = Host(name="h1", address="198.18.0.10", host_key="ssh-ed25519 AAAA")


def test_everybody_has_all_rounds_and_each_begins_one() -> None:
    turns = list(pushes.order(EVERYBODY, dict.fromkeys(EVERYBODY, 3)))
    assert Counter(turns) == dict.fromkeys(EVERYBODY, 3)
    assert [turns[0], turns[3], turns[6]] == list(EVERYBODY)


def test_who_has_done_some_before_has_the_rest_alone() -> None:
    left = {OURS: 2, PLAIN: 0, TUNED: 1}
    turns = list(pushes.order(EVERYBODY, left))
    assert Counter(turns) == {OURS: 2, TUNED: 1}
    assert list(pushes.order(EVERYBODY, dict.fromkeys(EVERYBODY, 0))) == []


def test_what_is_measured_already_boots_no_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "runs.jsonl"
    plan = replace(PLAN, runs=1, into=str(into))
    for what in (CHANGE, NO_OP, ASKED):
        record.append(run(what, OURS, 1.0), into)
    assert pushes.missing(record.read(into), plan) == {OURS: 1}
    record.append(run(AGAIN, OURS, 1.0), into)
    assert pushes.missing(record.read(into), replace(plan, runs=3)) == {OURS: 2}

    def fleet(*_: object) -> None:
        pytest.fail("a host was booted")

    monkeypatch.setattr(pushes, "fleet", fleet)
    told: list[str] = []
    pushes.measured(plan, told.append)
    assert told == ["10 hosts: all is measured already with this commit"]


def test_the_plan_says_who_is_measured(tmp_path: Path) -> None:
    running = [Running(host=HOST, root=tmp_path, console=tmp_path)]
    made = pushes.sides(running, tmp_path / "key", PLAN)
    assert list(made) == [OURS]
    assert made[OURS].operations == (CHANGE, NO_OP, ASKED, AGAIN)


def test_a_push_made_again_has_another_epoch_and_a_question_none(tmp_path: Path) -> None:
    side = Ours(tmp_path, [Running(host=HOST, root=tmp_path, console=tmp_path)], tmp_path / "key")
    told = []
    for what in (CHANGE, NO_OP, ASKED, AGAIN, CHANGE):
        job = side.job(what, 31)
        spec = Spec.read(Path(job.argv[-1]))
        assert (spec.hosts, spec.seconds) == ((HOST,), 31)
        told.append((job.argv[-2], spec.epoch))
    assert told == [("up", "1"), ("up", "1"), ("check", "1"), ("up", "2"), ("up", "2")]


class Standing(Running):
    """A host whose HAProxy has these processes."""

    def processes(self, unit: str) -> frozenset[int]:
        assert unit == "haproxy"
        return frozenset({1, 2})


@pytest.fixture
def host(tmp_path: Path) -> Standing:
    for piece in pieces(31):
        target = tmp_path / piece.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(piece.text)
    return Standing(host=HOST, root=tmp_path, console=tmp_path)


RELOADED, NOT = {"h1": frozenset({1})}, {"h1": frozenset({1, 2, 3})}


def test_a_change_reloads_and_nothing_else_does(host: Standing) -> None:
    truth(CHANGE, [host], 31, RELOADED)
    truth(NO_OP, [host], 31, NOT)
    with pytest.raises(Untrue, match="h1: change left HAProxy with the old /etc/haproxy"):
        truth(CHANGE, [host], 31, NOT)
    with pytest.raises(Untrue, match="h1: no-op reloaded HAProxy"):
        truth(NO_OP, [host], 31, RELOADED)


def test_a_file_that_is_not_what_was_pushed_fails_the_run(host: Standing) -> None:
    with pytest.raises(Untrue, match=f"h1: after change, {HAPROXY} is not what was pushed"):
        truth(CHANGE, [host], 32, RELOADED)


def test_hosts_live_in_the_range_that_is_nobodys() -> None:
    listed = hosts.addresses(200)
    assert len(set(listed)) == 200
    assert all(each in hosts.NETWORK for each in listed)
    assert hosts.NETWORK[1] not in listed
    told = hosts.files("h1", listed[0], ("PRIVATE", "ssh-ed25519 AAAA"), "ssh-ed25519 USER")
    assert "ip address add 198.18.0.10/16 dev host0" in told["/etc/systemd/system/address.service"]
    assert told["/root/.ssh/authorized_keys"] == "ssh-ed25519 USER\n"


def test_a_processor_is_told_by_its_numbers_where_its_name_says_little() -> None:
    told = (
        "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Intel(R) Xeon(R)\n\n"
        "processor\t: 1\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Intel(R) Xeon(R)\n"
    )
    assert bench.processor(told) == "Intel(R) Xeon(R) (family 6, model 143)"


def test_the_peer_is_pinned_and_no_requirement_of_ours() -> None:
    assert all(part.isdigit() for part in peers.version().split("."))
    ours = [path.read_text() for path in peers.CONSTRAINTS.parent.glob("requirements*.txt")]
    assert len(ours) == 2
    assert not any("ansible" in text for text in [*ours, peers.CONSTRAINTS.read_text()])


def test_a_machine_that_is_too_small_is_told_by_what_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inside, "WATCHES", 10_000_000)
    monkeypatch.setattr(inside, "MEBIBYTES", 1_000_000)
    monkeypatch.setattr(inside, "TOOLS", ("sh", "no-such-tool"))
    told = "; ".join(inside.lacking(50))
    assert "no-such-tool (a program)" in told
    assert "sysctl -w fs.inotify.max_user_instances=500000064" in told
    assert "and 50 hosts want 50002048" in told

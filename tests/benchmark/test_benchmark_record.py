"""Runs are kept as they are made, and the newest of them shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmark import record
from benchmark.record import AGAIN, CHANGE, NO_OP, OURS, PLAIN, Plan
from tests.benchmark.runs import BENCH, run

PLAN = Plan(size=10, runs=5, who=(OURS,), bench=BENCH, commit="abc1234", venv="/v", into="/f")


def test_a_run_comes_back_as_it_was_and_half_a_line_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "new" / "runs.jsonl"
    made = [run(CHANGE, OURS, 1.0), run(NO_OP, PLAIN, 2.0)]
    for each in made:
        record.append(each, file)
    with file.open("a") as out:
        out.write('{"what": "change", "who"')
    assert record.read(file) == made
    assert record.read(tmp_path / "none") == []
    assert record.shown(record.dumped(made)) == made


def test_a_plan_comes_back_as_it_was() -> None:
    assert Plan.read(PLAN.to_json()) == PLAN


def test_the_newest_few_of_everything_are_shown_each_once() -> None:
    many = [run(CHANGE, OURS, float(number)) for number in range(1, 8)]
    other = run(NO_OP, OURS, 0.5)
    kept = record.keep([*many, *many, other])
    assert kept == [other, *many[-record.SHOWN :]]


def test_another_machine_has_its_own_and_the_same_with_newer_software_starts_anew() -> None:
    old, other = run(CHANGE, OURS, 1.0), run(CHANGE, OURS, 2.0, bench=replace(BENCH, cores=4))
    assert record.keep([old, other]) == [old, other]
    newer = run(CHANGE, OURS, 3.0, bench=replace(BENCH, ansible="3.0.0"))
    assert record.keep([old, other, newer]) == [other, newer]


def test_what_is_done_counts_whole_rounds_of_this_commit_size_and_machine() -> None:
    whole = [run(what, OURS, 1.0) for what in (CHANGE, NO_OP, AGAIN)]
    operations = (CHANGE, NO_OP, AGAIN)
    assert record.done([], OURS, operations, PLAN) == 0
    assert record.done([*whole, whole[0]], OURS, operations, PLAN) == 1
    assert record.done([*whole, *whole], OURS, operations, PLAN) == 2
    assert record.done(whole, PLAIN, operations, PLAN) == 0
    for other in (
        replace(PLAN, size=50),
        replace(PLAN, commit="def5678"),
        replace(PLAN, bench=replace(BENCH, cores=4)),
    ):
        assert record.done(whole, OURS, operations, other) == 0

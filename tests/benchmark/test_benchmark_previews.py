"""Stacks of many workers: what is run for them, what it says, and one that hangs."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import page, previews, record
from benchmark.cost import CommandError, Cost
from benchmark.record import OURS, PREVIEW, UNCHANGED
from lab.engine.cli import find_cli
from tests.benchmark.runs import run
from tests.benchmark.test_benchmark_record import PLAN

SAID = (
    '{"workers": 10, "resources": 208, "seconds": 5.5, "program": 3.25, "others": 1.5, '
    '"program_mebibytes": 200, "other_mebibytes": 300}\n'
)


def test_a_preview_has_a_process_each_and_a_stack_is_made_once() -> None:
    each = previews.commands(PREVIEW, 10, 3)
    assert [argv[-2:] for argv in each] == [["--json", "10"]] * 3
    assert [argv[-3:] for argv in previews.commands(UNCHANGED, 10, 3)] == [
        ["--unchanged", "--runs", "3"]
    ]
    assert previews.commands(PREVIEW, 10, 0) == previews.commands(UNCHANGED, 10, 0) == []


def test_a_line_of_the_tool_is_a_cost() -> None:
    assert previews.cost(SAID) == Cost(seconds=5.5, cpu=4.75, hosts_cpu=0.0, memory=500.0)


def test_what_is_missing_is_measured_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def commands(what: str, workers: int, runs: int) -> list[list[str]]:
        asked.append((what, runs))
        return [[sys.executable, "-c", f"print({SAID!r}, end='')"]] * runs

    monkeypatch.setattr(previews, "commands", commands)
    into = tmp_path / "runs.jsonl"
    plan = replace(PLAN, runs=2, into=str(into))
    record.append(run(UNCHANGED, OURS, 1.0), into)
    told: list[str] = []
    previews.measured(plan, told.append)
    assert asked == [(PREVIEW, 2), (UNCHANGED, 1)]
    assert [each.what for each in record.read(into)] == [UNCHANGED, PREVIEW, PREVIEW, UNCHANGED]
    assert told[0] == "10 workers: preview: 5.5 s; CPU 4.8 s"
    previews.measured(plan, told.append)
    assert asked[2:] == [(PREVIEW, 0), (UNCHANGED, 0)]


def test_a_tool_that_fails_or_hangs_ends_the_measurement() -> None:
    with pytest.raises(CommandError, match="ended with 3"):
        list(previews.lines([sys.executable, "-c", "raise SystemExit(3)"], 60))
    begun = time.monotonic()
    hangs = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"]
    with pytest.raises(CommandError, match="said nothing for 3 s"):
        list(previews.lines(hangs, 3))
    assert time.monotonic() - begun < 50


def test_the_table_has_a_row_for_each_size_and_thing() -> None:
    told = page.figures(
        [run(PREVIEW, OURS, 2.0), run(UNCHANGED, OURS, 1.0), run(PREVIEW, OURS, 20.0, size=100)]
    )
    rows = [line for line in told.splitlines() if line.startswith(("| 10 ", "| 100 "))]
    assert rows == [
        "| 10 | a preview of all of it, of which nothing is there | 1 | 2.00 / 2.00 / 2.00 | "
        "4.00 / 4.00 / 4.00 | 100 / 100 / 100 |",
        "| 10 | an update that finds nothing to do | 1 | 1.00 / 1.00 / 1.00 | 2.00 / 2.00 / 2.00 "
        "| 100 / 100 / 100 |",
        "| 100 | a preview of all of it, of which nothing is there | 1 | 20.0 / 20.0 / 20.0 | "
        "40.0 / 40.0 / 40.0 | 100 / 100 / 100 |",
    ]
    assert "hosts" not in told


@pytest.mark.timeout(900)
@pytest.mark.skipif(find_cli() is None, reason="Pulumi is not built")
def test_the_tool_itself_finds_nothing_to_do_over_a_stack_that_was_made() -> None:
    (argv,) = previews.commands(UNCHANGED, 2, 1)
    (line,) = previews.lines(argv, 600)
    took = previews.cost(line)
    assert took.seconds > 0.5
    assert took.cpu > 0.5
    assert took.memory > 50

"""The page: a section a machine, a table a number of hosts, and where a goal is missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmark import page
from benchmark.record import AGAIN, ASKED, CHANGE, NO_OP, OURS, PLAIN, TUNED
from tests.benchmark.runs import BENCH, run

RUNS = [
    *(run(CHANGE, OURS, seconds) for seconds in (4.0, 5.0, 6.0)),
    run(CHANGE, PLAIN, 9.0),
    run(CHANGE, TUNED, 4.0),
    run(NO_OP, OURS, 0.5),
    run(AGAIN, OURS, 5.0),
    run(ASKED, OURS, 1.5),
    run(NO_OP, PLAIN, 8.0),
    run(NO_OP, TUNED, 6.0),
]
EMPTY = f"# Title\n\nWords.\n\n{page.BEGIN}\nold\n{page.END}\n\n## After\n"


def test_a_table_has_a_row_for_each_thing_that_was_done() -> None:
    told = page.figures(RUNS)
    assert "### 2 cores, 24 GiB, Debian GNU/Linux 12 (bookworm)" in told
    assert "A Processor (family 6, model 7); Linux 6.1.0" in told
    assert "#### 10 hosts" in told
    assert (
        "| one line changed | layered-cloud | 3 | 4.00 / 5.00 / 6.00 | 8.00 / 10.0 / 12.0 | "
        "12.0 / 15.0 / 18.0 | 100 / 100 / 100 |" in told
    )
    rows = [line for line in told.splitlines() if line.startswith("| ") and "hosts |" not in line]
    assert len(rows) == 8


def test_a_goal_that_is_missed_is_said_to_be() -> None:
    told = page.figures(RUNS).splitlines()
    goals = [line for line in told if line.startswith("- ")]
    assert [goal.rsplit(": ", 1)[1] for goal in goals] == ["**missed**.", "kept.", "kept."]
    assert goals[0].startswith("- One line changed: 1.25 times as slow as the faster of")
    assert goals[1].startswith("- Nothing to do: 12.0 times as fast as the faster of")


def test_no_goal_is_judged_by_half_of_the_runs() -> None:
    told = page.figures([each for each in RUNS if each.who != TUNED])
    assert "goal" not in told


def test_sizes_and_machines_stand_apart() -> None:
    other = replace(BENCH, cores=64)
    told = page.figures(
        [*RUNS, run(CHANGE, OURS, 1.0, size=50), run(CHANGE, OURS, 1.0, bench=other)]
    )
    heads = [line for line in told.splitlines() if line.startswith("#")]
    assert [head.split(",")[0] for head in heads] == [
        "### 2 cores",
        "#### 10 hosts",
        "#### 50 hosts",
        "### 64 cores",
        "#### 10 hosts",
    ]


def test_the_figures_stand_between_their_marks_and_nothing_else_changes() -> None:
    once = page.written(EMPTY, RUNS)
    assert once.startswith(f"# Title\n\nWords.\n\n{page.BEGIN}\n\n### 2 cores")
    assert once.endswith(f"\n{page.END}\n\n## After\n")
    assert "old" not in once
    assert page.written(once, RUNS) == once
    assert "Nothing is measured yet." in page.written(once, [])


@pytest.mark.parametrize("lost", [page.BEGIN, page.END])
def test_a_page_without_its_marks_is_refused(lost: str) -> None:
    with pytest.raises(page.NoPlace, match="both marks"):
        page.written(EMPTY.replace(lost, ""), RUNS)

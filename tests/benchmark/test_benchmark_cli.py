"""The commands: what they refuse before anything is begun, and what they write."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmark import __main__ as cli
from benchmark import inside, page, record
from benchmark.record import CHANGE, EVERYBODY, OURS, PREVIEW
from tests.benchmark.runs import BENCH, run

PAGE = Path(cli.PAGE).read_text(encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a page of the test's own; the machine lacks nothing, and nothing is measured."""
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    monkeypatch.setattr(cli, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(record, "beside_the_page", lambda: tmp_path / "page.json")
    (tmp_path / "page.md").write_text(PAGE)
    plan = record.Plan(
        size=0, runs=0, who=EVERYBODY, bench=BENCH, commit="abc1234", venv="", into=""
    )
    monkeypatch.setattr(cli, "_plan", lambda who: replace(plan, who=who))
    monkeypatch.setattr(inside, "lacking", lambda size: [])
    return tmp_path


def asked(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, list(words))
    return done.exit_code, done.output


def test_the_shipped_page_has_the_places_and_the_figures_that_lie_beside_it() -> None:
    shown = record.shown(record.beside_the_page().read_text(encoding="utf-8"))
    assert page.written(PAGE, record.keep(shown)) == PAGE


def test_each_size_is_measured_in_turn_and_the_page_written_after_each(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[record.Plan] = []

    def enter(plan: record.Plan) -> None:
        plans.append(plan)
        if plan.size == 50:
            raise inside.Failed("pushes to 50 hosts: ended with 1")
        record.append(run(CHANGE, OURS, 4.0, size=plan.size), record.path())

    monkeypatch.setattr(inside, "enter", enter)
    status, told = asked("pushes", "--runs", "3")
    assert [(plan.size, plan.runs, plan.who) for plan in plans] == [
        (10, 3, EVERYBODY),
        (50, 3, EVERYBODY),
    ]
    assert status == 1
    assert "pushes to 50 hosts: ended with 1; next: see to what it says" in told
    assert "| one line changed | layered-cloud | 1 | 4.00" in (place / "page.md").read_text()
    assert record.shown((place / "page.json").read_text()) == [run(CHANGE, OURS, 4.0)]


def test_what_was_shown_before_stays_beside_what_is_new(place: Path) -> None:
    old, new = run(CHANGE, OURS, 4.0), run(PREVIEW, OURS, 5.0)
    (place / "page.json").write_text(record.dumped([old]))
    record.append(new, record.path())
    assert asked("page") == (0, "page.md is written, from 2 runs\n")
    assert record.shown((place / "page.json").read_text()) == [old, new]


def test_who_is_nobody_is_refused_with_who_there_is(place: Path) -> None:
    status, told = asked("pushes", "--only", "puppet")
    assert (status, told) == (1, f"--only puppet: there are {'; '.join(EVERYBODY)}\n")


def test_a_machine_that_lacks_something_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(size: int) -> list[str]:
        return ["this", f"room for {size}"]

    monkeypatch.setattr(inside, "lacking", lacking)
    assert asked("pushes") == (1, "this machine lacks: this; room for 10\n")


def test_two_at_once_would_measure_each_other(place: Path) -> None:
    folder = place / "cache"
    folder.mkdir()
    with (folder / "benchmark.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for command in ("pushes", "previews"):
            told: Any = asked(command)
            assert told == (1, "another benchmark is under way; next: wait for it or end it\n")

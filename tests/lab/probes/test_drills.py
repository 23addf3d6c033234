"""Drills without a lab: their order, what becomes of errors, their figures as page and picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from lab import cli, datacentre
from lab.probes.drills import DRILLS, Drill, Felt, Goal, NotHere, page, record, run
from lab.probes.result import Broken

WORLD: Any = SimpleNamespace(profile="")
CALM = Felt(gap={"new": 0.2, "kept": 0.1}, sent=400, lost=0, slowest=0.3, lag=0.004, errors={})
POWER = next(iter(DRILLS.values()))


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A cache of its own, and a tree whose content the test says."""
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    now = ["a"]
    monkeypatch.setattr(record, "tree", lambda: now[0])
    monkeypatch.setattr(record, "CHECKOUT", tmp_path)
    return now


def made(gap: float = 0.2, lost: int = 0, **more: Any) -> record.Record:
    felt = replace(CALM, gap={"new": gap, "kept": 0.1}, lost=lost)
    given = {
        "drill": POWER.name,
        "victim": "router-a",
        "content": "a",
        "commit": "c0ffee",
        "at": 1.0,
    }
    return record.Record(**{**given, "felt": felt, "back": CALM, "healed": 20.0, **more})


def drill(did: list[str], **more: Any) -> Drill:
    def does(word: str) -> Any:
        return lambda *_: did.append(word)

    given = {"name": POWER.name, "goal": Goal(gap=1), "promised": True, "window": 0.0}
    parts = {"breaks": does("break"), "mends": does("mend"), "settled": does("settle")}
    parts["target"] = lambda _: None
    return Drill(**{**given, "victim": lambda _: "x", **parts, **more})


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that nobody needs to answer."""

    class Still:
        rows = ()

        def __enter__(self) -> Still:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(run, "flowing", lambda *_: Still())
    monkeypatch.setattr(run, "LEAD", 0.0)
    monkeypatch.setattr(run, "felt", lambda *_: CALM)


@pytest.mark.usefixtures("stream")
def test_a_drill_begins_well_and_ends_well() -> None:
    did: list[str] = []
    (row,) = run.drills(WORLD, [drill(did)])
    assert did == ["settle", "break", "mend", "settle"]
    assert row.ok
    assert len(record.read()) == 1


@pytest.mark.usefixtures("stream")
def test_what_broke_half_way_is_mended_and_the_next_drill_runs() -> None:
    did: list[str] = []

    def fails(*_: object) -> None:
        raise RuntimeError("no such unit")

    first = drill(did, breaks=fails)
    rows = list(run.drills(WORLD, [first, drill(did)]))
    assert [row.ok for row in rows] == [False, True]
    assert rows[0].detail == "no such unit"
    assert did[:2] == ["settle", "mend"]


@pytest.mark.usefixtures("stream")
def test_a_service_that_does_not_return_fails_whatever_is_promised() -> None:
    calls: list[int] = []

    def settled(_: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise Broken("worker-2 is not Ready")

    one = drill([], promised=False, settled=settled)
    (row,) = run.drills(WORLD, [one])
    assert not row.ok
    assert "NOT well again: worker-2 is not Ready" in row.detail
    assert record.read()[0].broken == "worker-2 is not Ready"


@pytest.mark.parametrize(
    ("promised", "gap", "ok", "word"),
    [
        (True, 1.3, False, "missed;"),
        (False, 1.3, True, "missed, not promised"),
        (True, 1.2, True, "met"),
    ],
)
def test_a_goal_is_enforced_where_it_is_promised_and_always_told(
    promised: bool, gap: float, ok: bool, word: str
) -> None:
    judged = run.judged(drill([], goal=Goal(gap=1.2), promised=promised), made(gap), 1.0)
    assert judged.ok is ok
    assert word in judged.detail


def test_a_second_up_that_finds_something_fails() -> None:
    assert not run.judged(drill([]), made(up=1), 1.0).ok
    assert run.judged(drill([]), made(up=0), 1.0).ok


def test_lost_requests_are_judged_as_a_share() -> None:
    assert Goal(lost=0.01).met(made(lost=4).felt)
    assert not Goal(lost=0.01).met(made(lost=5).felt)
    assert not Goal(lost=0).met(made(lost=1).felt)
    assert [str(goal) for goal in (Goal(gap=1.2), Goal(lost=0.01), Goal(lost=0))] == [
        "1.2 s",
        "1 % lost",
        "none lost",
    ]


@pytest.mark.usefixtures("stream")
def test_what_the_stack_lacks_is_said_and_no_failure() -> None:
    def lacking(_: object) -> str:
        raise NotHere("one router: its loss is an outage")

    (row,) = run.drills(WORLD, [drill([], victim=lacking)])
    assert row.ok
    assert row.detail == "not here: one router: its loss is an outage"
    assert record.read() == []


@pytest.mark.usefixtures("stream")
def test_runs_are_collected_over_sittings_and_begin_anew_with_another_tree(tree: list[str]) -> None:
    one = drill([])
    assert len(list(run.drills(WORLD, [one], 2, resume=True))) == 2
    assert len(list(run.drills(WORLD, [one], 3, resume=True))) == 1
    tree[0] = "b"
    assert len(list(run.drills(WORLD, [one], 3, resume=True))) == 3
    assert len(record.newest(record.read(), one.name)) == 6


@pytest.mark.usefixtures("stream", "tree")
def test_runs_of_another_datacentre_are_counted_there_alone() -> None:
    one = drill([])
    other: Any = SimpleNamespace(profile="single")
    assert len(list(run.drills(other, [one], 2, resume=True))) == 2
    assert len(list(run.drills(other, [one], 2, resume=True))) == 0
    assert record.newest(record.read(), one.name) == []
    assert len(list(run.drills(WORLD, [one], 2, resume=True))) == 2
    assert len(record.newest(record.read(), one.name)) == 2


def test_what_the_page_shows_is_kept_beside_it_and_counts_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    for number in range(record.SHOWN + 5):
        record.append(made(at=float(number)))
    record.append(made(drill="another", at=0.5))
    text = record.keep(record.read(), [POWER.name])
    record.beside_the_page().write_text(text)
    assert [each.at for each in record.newest(record.read(), POWER.name)] == [
        float(number) for number in range(5, 25)
    ]
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path / "another machine"))
    assert [each.at for each in record.read()] == [float(number) for number in range(5, 25)]
    record.append(made(at=99.0))
    assert record.keep(record.read(), [POWER.name]).count("\n") == record.SHOWN


def test_a_line_half_written_is_passed_over() -> None:
    record.append(made())
    with record.path().open("a") as out:
        out.write('{"drill": "router po')
    assert record.read() == [made()]


def test_of_twenty_runs_p99_is_the_largest() -> None:
    values = [number / 10 for number in range(1, 21)]
    assert [page.rank(values, share) for share in (0.5, 0.99, 1)] == [1.0, 2.0, 2.0]
    assert page.rank(range(1, 101), 0.99) == 99


def test_the_page_names_every_drill_its_goal_and_whether_it_was_kept() -> None:
    drills = {**DRILLS, POWER.name: replace(POWER, promised=True)}
    text = page.page(list(drills.values()), [made(0.8, load=3.5), made(1.3, lost=40)])
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if "| " in line}
    assert set(DRILLS) <= set(rows)
    assert len({line.count("|") for line in rows.values()}) == 1
    cells = [cell.strip() for cell in rows[POWER.name].split("|")]
    assert cells[2:6] == ["2", "0.80 s", "1.30 s", "1.30 s"]
    assert cells[6] == "40 of 800 (worst run 10.0%)"
    assert cells[7:9] == ["1.2 s", "no, promised"]
    assert cells[-2] == "c0ffee"
    assert "4 ms at the most" in text
    assert "was 3.5 to 3.5 when they began" in text
    assert "- **MetalLB's announcer power**: the speakers" in text


def test_the_picture_has_a_bar_a_drill_that_ran() -> None:
    text = page.picture(list(DRILLS.values()), [made(0.8), made(7.5)])
    svg = ElementTree.fromstring(text)  # noqa: S314 - our own
    bars = [each for each in svg if each.tag.endswith("rect")]
    assert len(bars) == 1
    assert "7.50 →" in {each.text for each in svg}


@pytest.mark.usefixtures("stream")
def test_the_command_writes_the_page_from_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    record.append(made())
    assert CliRunner().invoke(cli.app, ["drill", "--runs", "0"]).exit_code == 0
    assert "| router power | 1 | 0.20 s |" in (tmp_path / "docs" / "failures.md").read_text()
    monkeypatch.setattr(datacentre, "world", SimpleNamespace)
    told = CliRunner().invoke(cli.app, ["drill", "--json", "--only", "nothing of that name"])
    assert told.exit_code == 0, told.output
    assert told.stdout.strip() == "[]"

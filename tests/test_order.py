"""In what order tests run, and which never beside each other (tests/conftest.py)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import conftest

TESTS = Path(__file__).parent


def an_item(file: str, *marks: str) -> pytest.Item:
    made = SimpleNamespace(
        nodeid=f"{file}::test_it",
        path=Path(file),
        get_closest_marker=lambda mark: mark if mark in marks else None,
    )
    return cast("pytest.Item", made)


def test_clusters_begin_first_and_the_lab_last_and_a_file_stays_together() -> None:
    items = [
        an_item("e2e", "lab", "root"),
        an_item("sums"),
        an_item(f"{conftest.CONTRACTS}parts.py"),
        an_item("engine"),
        an_item("engine", "timeout"),
        an_item("daemons"),
        an_item("cluster", "root", "cluster"),
        an_item("daemons", "root"),
    ]
    conftest.pytest_collection_modifyitems(items)
    assert [str(each.path) for each in items] == [
        *("cluster", f"{conftest.CONTRACTS}parts.py", "engine", "engine", "daemons", "daemons"),
        *("sums", "e2e"),
    ]


def test_real_clusters_are_called_so_and_in_turn_and_contracts_together() -> None:
    marked = {
        str(path.relative_to(TESTS.parent))
        for path in TESTS.rglob("test_*.py")
        if "pytestmark = pytest.mark.cluster\n" in path.read_text("utf-8")
    }
    assert len(marked) >= 3
    assert {path for path in marked if not path.startswith(conftest.CLUSTERS)} == set()
    names = {str(path.relative_to(TESTS.parent)) for path in TESTS.rglob("test_real_*.py")}
    assert {path for path in names if path.startswith(conftest.CLUSTERS)} == marked

    asked: Any = SimpleNamespace(getoption=lambda _: "loadfile", getvalue=lambda _: ["popen"])
    scheduler: Any = conftest.pytest_xdist_make_scheduler(asked, None)
    assert {scheduler._split_scope(f"{path}::test_it") for path in marked} == {conftest.CLUSTERS}
    contracts = {f"tests/{path.name}" for path in TESTS.glob("test_contracts_*.py")}
    assert {scheduler._split_scope(f"{path}::test_it") for path in contracts} == {
        conftest.CONTRACTS
    }
    assert scheduler._split_scope("tests/test_order.py::test_it") == "tests/test_order.py"
    asked.getoption = lambda _: "load"
    assert conftest.pytest_xdist_make_scheduler(asked, None) is None

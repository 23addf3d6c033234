"""What is said of a plan on a pull request."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from policy import summary
from tests.policy.samples import SAMPLES, pushed

PAGE = Path(__file__).parents[2] / "docs" / "pull-requests.md"
MARK = "<!-- samples: made by tests/policy/test_summary.py -->\n"


def told(*steps: dict[str, Any]) -> str:
    return summary.comment({"steps": list(steps)}, "prod")


def test_the_page_shows_what_is_said_of_six_changes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    head = page.partition(MARK)[0]
    made = "\n".join(
        f"## {title}\n\n<!-- shows: output -->\n`````markdown\n{told(*steps)}`````\n"
        for title, steps in SAMPLES.items()
    )
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(f"{head}{MARK}\n{made}", encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == f"{head}{MARK}\n{made}"


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("A timeout", "- route: `+ timeout server 300s` (`lb-a-routes`)"),
        ("A new route", "- route: `+ use_backend media if { path_beg /media/ }` (`lb-a-routes`)"),
        ("A VIP that moves", "- address: `+ 203.0.113.11/27 dev eth2` (`router-a-routers`)"),
        ("A VIP that moves", "- address: `+ content: 203.0.113.11` (`www`)"),
        ("A chart", "- chart: `+ version: 1.20.3` (`cilium`)"),
        ("A certificate", "- certificate: replaced (`certificate-leaf`)"),
    ],
)
def test_what_moves_is_a_line(title: str, line: str) -> None:
    assert line in told(*SAMPLES[title]).partition("<details>")[0].splitlines()


def test_machines_that_go_come_before_what_moves_and_the_counts_and_the_rest_is_folded() -> None:
    text = told(*SAMPLES["A machine that is replaced"], *SAMPLES["A timeout"])
    places = [
        text.index(word)
        for word in (
            "Stopped by policy",
            "`router-b` is **replaced**, because of `initialization.ipConfigs`",
            "**What moves**",
            "**Counts**: 2 updated, 1 replaced, 1 same",
            "<details>",
        )
    ]
    assert places == sorted(places)


def test_an_empty_plan_says_so_and_a_long_text_is_cut() -> None:
    assert told() == "### Plan of `prod`\n\n**Counts**: nothing there\n"
    long = "\n".join(f"timeout t{number} 1s" for number in range(500))
    text = told(pushed("lb-a-routes", "x\n", long))
    assert len(text.splitlines()) < 110
    assert "- route: 460 more" in text


def test_the_command_needs_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.json"
    assert summary.main([str(file), "dev"]) == 2
    file.write_text(json.dumps({"steps": []}))
    assert summary.main([str(file), "dev"]) == 0
    assert capsys.readouterr().out.startswith("### Plan of `dev`")

"""`make test-all`: what it runs, what it does not run again, and what it says of failures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab import stack, trials
from lab.software import checkers


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path / "cache"))


def test_everything_is_the_tests_every_profile_and_every_drill() -> None:
    assert [each.name for each in trials.trials()] == [
        "default",
        "long",
        *checkers.FURTHER,
        *stack.profiles(),
        "drills",
    ]
    by_name = {each.name: each for each in trials.trials()}
    default, long, drills = (by_name[name] for name in ("default", "long", "drills"))
    first = by_name[stack.profiles()[0]]
    assert long.argv[-3:] == ["-m", "long", "tests/lab/e2e"]
    assert drills.argv == ["make", "drills"]
    assert {name: by_name[name].argv for name in checkers.FURTHER} == {
        name: ["make", "daemons", f"DISTRIBUTION={name}"] for name in checkers.FURTHER
    }
    assert default.argv == ["make", "test"]
    assert first.env == {trials.PROFILE: stack.profiles()[0]}


def test_one_profile_may_be_asked_for_and_an_unknown_one_is_named() -> None:
    assert [each.name for each in trials.trials("single")] == ["single"]
    assert [each.name for each in trials.trials("default")] == ["default"]
    with pytest.raises(
        stack.UnknownProfile,
        match=rf"no profile x; there are default, long, {', '.join(checkers.FURTHER)}, balanc",
    ):
        trials.trials("x")


def test_what_passed_is_not_run_again_for_the_same_content_and_failures_do_not_end_it() -> None:
    ran: list[str] = []
    said: list[str] = []

    def call(trial: trials.Trial) -> int:
        ran.append(trial.name)
        return 1 if trial.name == "single" else 0

    chosen = trials.trials()
    assert trials.run(chosen, "a", call, said.append) == ["single"]
    assert ran == [each.name for each in chosen]
    ran.clear()
    assert trials.run(chosen, "a", lambda trial: ran.append(trial.name) or 0, said.append) == []
    assert ran == ["single"]
    assert "default: passed before with this content" in said
    ran.clear()
    trials.run(chosen, "b", call, said.append)
    assert len(ran) == len(chosen)


def test_the_command_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trials, "content", lambda: "a")
    monkeypatch.setattr(trials, "_call", lambda trial: int(trial.name != "default"))
    assert trials.main([]) == 1
    assert "next: make test-all PROFILE=long and make test-all" in capsys.readouterr().err
    assert trials.main(["default"]) == 0
    assert trials.main(["nix"]) == 2


def test_the_content_is_that_of_the_tree_without_documents(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "a.py").write_text("1\n")
    git("add", ".")
    before = trials.content(tmp_path)
    (tmp_path / "README.md").write_text("words\n")
    (tmp_path / "picture.svg").write_text("<svg/>\n")
    (tmp_path / "ignored").write_text("x\n")
    assert trials.content(tmp_path) == before
    (tmp_path / "new.py").write_text("1\n")
    grown = trials.content(tmp_path)
    assert grown != before
    (tmp_path / "a.py").write_text("2\n")
    assert trials.content(tmp_path) not in (before, grown)

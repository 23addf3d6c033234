"""Today's program over the states that earlier releases left: nothing goes that the changelog does
not name."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lab.engine.cli import find_cli
from tests.kept import states

ROOT = Path(__file__).parents[1]
GONE = ("replace", "create-replacement", "delete-replaced", "delete", "discard", "discard-replaced")
SECTION = re.compile(r"^## (\d+\.\d+\.\d+)(, not released yet|, \d{4}-\d{2}-\d{2})?$", re.MULTILINE)
NAMED = re.compile(r"^- (?:Replaced|Deleted): `([^`]+)`", re.MULTILINE)
VERSIONS = sorted(path.name for path in states.KEPT.iterdir())
KEPT = [(version, stack) for version in VERSIONS for stack in states.STACKS]

needs_engine = pytest.mark.skipif(
    find_cli() is None,
    reason="needs the Pulumi command line, or one built: python -m lab.engine preview",
)


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def named(changelog: str) -> dict[str, list[str]]:
    """The patterns of what goes, by release."""
    _, *rest = SECTION.split(changelog)
    return {
        version: NAMED.findall(text) for version, text in zip(rest[::3], rest[2::3], strict=True)
    }


def excused(version: str, changelog: str) -> set[str]:
    """What may go from a state of that release: named by any after it."""
    return {
        pattern
        for release, patterns in named(changelog).items()
        if number(release) > number(version)
        for pattern in patterns
    }


def thing(urn: str) -> str:
    """A resource's own type and name, as the changelog writes them."""
    *_, types, name = urn.split("::", 3)
    return f"{types.rsplit('$', 1)[-1]}::{name}"


def gone(steps: list[dict[str, Any]]) -> set[str]:
    return {thing(each["urn"]) for each in steps if each["op"] in GONE}


def unexplained(going: set[str], patterns: set[str]) -> list[str]:
    return sorted(
        each for each in going if not any(fnmatchcase(each, pattern) for pattern in patterns)
    )


def changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@cache
def planned(version: str, stack: str) -> list[dict[str, Any]]:
    return states.previewed(*states.read(version, stack), stack)


@needs_engine
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("version", "stack"), KEPT)
def test_nothing_goes_from_a_state_of_before_that_the_changelog_does_not_name(
    version: str, stack: str
) -> None:
    steps = planned(version, stack)
    assert unexplained(gone(steps), excused(version, changelog())) == []
    # It is a state that the program knows: most of it is there already.
    before = {thing(each["urn"]) for each in states.read(version, stack)[1]}
    made = {thing(each["urn"]) for each in steps if each["op"] == "create"}
    assert len(made) < len(before) / 2


@needs_engine
@pytest.mark.timeout(1800)
def test_whatever_the_changelog_names_goes_from_some_state() -> None:
    for version in VERSIONS:
        going = {each for stack in states.STACKS for each in gone(planned(version, stack))}
        patterns = excused(version, changelog()) - excused(_next(version), changelog())
        assert [one for one in patterns if not any(fnmatchcase(each, one) for each in going)] == []


def _next(version: str) -> str:
    later = [each for each in named(changelog()) if number(each) > number(version)]
    return min(later, key=number)


def test_the_version_is_the_changelogs_newest_and_has_no_states_yet_unless_released() -> None:
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    (first, words, *_) = SECTION.split(changelog())[1:]
    assert first == version
    releases = list(named(changelog()))
    assert releases == sorted(releases, key=number, reverse=True)
    assert set(VERSIONS) <= set(releases)
    assert (version in VERSIONS) == (words != ", not released yet")


@pytest.mark.parametrize(("version", "stack"), KEPT)
def test_a_kept_state_is_small_and_holds_no_key(version: str, stack: str) -> None:
    path = states.KEPT / version / f"{stack}.json"
    text = path.read_text(encoding="utf-8")
    assert "PRIVATE KEY" not in text
    assert "ciphertext" not in text
    assert len(text) < 400_000


def test_a_line_excuses_what_it_names_in_states_of_before_it_and_nothing_else() -> None:
    text = (
        "# Changes\n\n## 0.3.0, not released yet\n\n- Replaced: `a:b:C::cp-*`, why\n\n"
        "## 0.2.0, 2026-01-02\n\n- Deleted: `d:e:F::lb-a`: why\n- Deletes nothing: `x`\n\n"
        "## 0.1.0\n"
    )
    assert named(text) == {"0.3.0": ["a:b:C::cp-*"], "0.2.0": ["d:e:F::lb-a"], "0.1.0": []}
    assert excused("0.1.0", text) == {"a:b:C::cp-*", "d:e:F::lb-a"}
    assert excused("0.2.0", text) == {"a:b:C::cp-*"}
    going = gone(
        [
            {"op": op, "urn": f"urn:pulumi:dev::p::layer:L$a:b:C::{name}"}
            for op, name in (("replace", "cp-1"), ("delete", "lb-a"), ("update", "x"))
        ]
    )
    assert unexplained(going, excused("0.2.0", text)) == ["a:b:C::lb-a"]

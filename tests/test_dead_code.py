"""What nothing reads is found; what a template, a decorator or the list reads is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import dead_code


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.vulture]\npaths = ['room']\nignore_names = ['listed']\n"
        "ignore_decorators = ['@enrolled']\n"
    )
    (tmp_path / "room").mkdir()
    return tmp_path


def test_what_nothing_reads_is_told_with_its_place(tree: Path) -> None:
    (tree / "room" / "one.py").write_text("HERE = 1\n\n\ndef dead():\n    return HERE\n")
    assert dead_code.unread(tree) == ["room/one.py:4: unused function 'dead'"]


def test_what_a_template_reads_is_read(tree: Path) -> None:
    (tree / "room" / "one.py").write_text(
        "class Model:\n    delay = 1\n    other = 2\n\n\nModel()\n"
    )
    (tree / "room" / "it.conf.j2").write_text(
        "{% for one in all %}{{ one.delay | int }}{% endfor %} other\n"
    )
    assert dead_code.unread(tree) == ["room/one.py:3: unused variable 'other'"]


def test_what_is_enrolled_or_listed_is_read(tree: Path) -> None:
    (tree / "room" / "one.py").write_text(
        "def enrolled(it):\n    return it\n\n\n@enrolled\ndef rule():\n    ...\n\n\nlisted = 1\n"
    )
    assert dead_code.unread(tree) == []


def test_nothing_of_the_program_is_unread() -> None:
    assert dead_code.unread(dead_code.ROOT) == []


def test_the_list_holds_nothing_that_is_read_or_gone() -> None:
    """A name leaves the list when the code it excuses has left."""
    excused = dead_code.excused(dead_code.ROOT)
    assert {name: what for name, what in excused.items() if not what} == {}

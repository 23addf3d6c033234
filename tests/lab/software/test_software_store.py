"""The cache: keys follow their inputs, and nothing half made is ever taken for finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.software import store
from lab.software.progress import Progress, Silent
from lab.software.store import BuildError, Item, ensure_item


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LAYERED_CLOUD_CACHE", str(tmp_path))
    yield tmp_path


def an_item(**changes: object) -> Item:
    def make(directory: Path, progress: Progress) -> None:
        del progress
        (directory / "result").write_text("made\n")

    values: dict[str, object] = {
        "name": "thing",
        "version": "1.2",
        "inputs": {"flags": "-s"},
        "make": make,
    }
    return Item(**(values | changes))  # type: ignore[arg-type]


def test_the_same_inputs_give_the_same_key() -> None:
    assert an_item().key == an_item().key
    assert an_item().key.startswith("1.2-")


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.3"},
        {"inputs": {"flags": "-s -w"}},
        {"inputs": {"flags": "-s", "tags": ""}},
        {"name": "other"},
        {"needs": (an_item(name="need"),)},
    ],
)
def test_a_change_of_any_input_gives_a_new_key(change: dict[str, object]) -> None:
    assert an_item(**change).key != an_item().key


def test_a_change_of_a_need_gives_a_new_key_to_what_is_made_of_it() -> None:
    before = an_item(needs=(an_item(name="need"),))
    after = an_item(needs=(an_item(name="need", version="1.3"),))
    assert before.key != after.key


def test_how_an_item_takes_its_turn_does_not_change_its_key() -> None:
    assert an_item(turn="go").key == an_item().key


def test_an_item_is_made_once_and_its_needs_first() -> None:
    made: list[str] = []

    def maker(name: str, needs: tuple[Item, ...] = ()) -> Item:
        def make(directory: Path, progress: Progress) -> None:
            del directory, progress
            made.append(name)

        return an_item(name=name, make=make, needs=needs)

    item = maker("top", (maker("first"), maker("second")))
    assert not item.ready
    ensure_item(item, Silent())
    ensure_item(item, Silent())
    assert made == ["first", "second", "top"]
    assert item.ready
    assert store.stamp_of(item)["key"] == item.key


def test_an_item_that_fails_is_not_ready_and_says_its_name(cache: Path) -> None:
    def make(directory: Path, progress: Progress) -> None:
        del progress
        (directory / "half").write_text("half")
        raise BuildError("linker: out of patience")

    item = an_item(make=make)
    with pytest.raises(BuildError, match=r"^thing 1\.2: linker: out of patience$"):
        ensure_item(item, Silent())
    assert not item.ready
    assert not item.path.exists()
    ensure_item(an_item(), Silent())
    assert sorted(p.name for p in an_item().path.iterdir()) == [".stamp.json", "result"]


_SLOW = """
import subprocess, sys
from pathlib import Path
from lab.software.debian import run_shown
from lab.software.progress import Silent
from lab.software.store import Item, ensure_item

def make(directory, progress):
    (directory / "half").write_text("half")
    tool = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    class Show(Silent):
        def detail(self, text):
            print(text, flush=True)
    run_shown([sys.executable, "-c", tool], Show(), what="the tool")

ensure_item(Item(name="thing", version="1.2", inputs={"flags": "-s"}, make=make), Silent())
"""


def _gone(pid: int, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_build_killed_half_way_leaves_no_tool_running_and_nothing_that_looks_finished() -> None:
    builder = subprocess.Popen(
        [sys.executable, "-c", _SLOW], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert builder.stdout is not None
    tool = int(builder.stdout.readline())
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    assert _gone(tool, 5.0), "the tool of the killed build still runs"
    item = an_item()
    assert not item.ready
    assert not item.path.exists()
    ensure_item(item, Silent())
    assert (item.path / "result").read_text() == "made\n"
    assert not (item.path / "half").exists()


def test_two_runs_that_want_the_same_item_make_it_once(cache: Path) -> None:
    script = """
import time
from pathlib import Path
from lab.software.progress import Silent
from lab.software.store import Item, ensure_item

def make(directory, progress):
    with Path("COUNT").open("a") as log:
        log.write("made\\n")
    time.sleep(0.5)

ensure_item(Item(name="shared", version="1", inputs={}, make=make), Silent())
""".replace("COUNT", str(cache / "count"))
    runs = [subprocess.Popen([sys.executable, "-c", script], env=os.environ) for _ in range(3)]
    assert [run.wait(timeout=30) for run in runs] == [0, 0, 0]
    assert (cache / "count").read_text() == "made\n"


def test_a_fingerprint_ignores_comments_and_docstrings_but_not_code(tmp_path: Path) -> None:
    import types

    def of(text: str) -> str:
        path = tmp_path / "recipe.py"
        path.write_text(text)
        module = types.ModuleType("recipe")
        module.__file__ = str(path)
        return store.fingerprint(module)

    plain = of("def f():\n    return 1\n")
    assert of('"""Words."""\n# why\ndef f():\n    """More."""\n    return 1\n') == plain
    assert of("def f():\n    return 2\n") != plain


def test_a_digest_of_files_follows_names_contents_and_the_execute_bit(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    (one / "a").write_text("text")
    before = store.files_digest(one)
    (one / "a").chmod(0o755)
    executable = store.files_digest(one)
    (one / "a").rename(one / "b")
    assert len({before, executable, store.files_digest(one)}) == 3

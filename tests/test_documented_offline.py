"""Every block that is marked `run: offline`, run as it stands in a copy of the checkout.

Beside the copy there is what a reader has: the environment (`python`, and `.venv/bin/python` as
`pulumi install` makes it), a home with a key, the files that a block reads, and where it calls
pulumi an engine with an empty backend of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.engine.cli import find_cli
from tests.documented import judge, marks
from tests.documented.pages import Block

SECONDS = 120
"""A block's; a machine that has other work to do is no fault of the page."""
OURS = ("settings", "components", "policy", "ops", "lab")
READ = re.compile(r"(?:^cat |< )([\w. -]+)", re.MULTILINE)
STACK = re.compile(r"-s ([\w-]+)")


def offline() -> list[tuple[Block, marks.Mark]]:
    found, pages = [], judge.everything()
    for name in judge.names():
        for block in pages[name].blocks:
            mark = marks.parse(block.mark or "")
            if mark.kind == "offline":
                found.append((block, mark))
    return found


BLOCKS = offline()


def copy_to(place: Path) -> None:
    """The checkout as it is now, without what git leaves out and without tests and documents."""
    place.mkdir()
    for each in OURS:
        shutil.copytree(
            judge.ROOT / each, place / each, ignore=shutil.ignore_patterns("__pycache__")
        )
    for path in [*judge.ROOT.glob("*.*"), judge.ROOT / "Makefile"]:
        if path.is_file():
            shutil.copy(path, place)
    (place / ".venv").symlink_to(Path(sys.executable).parents[1])


def surroundings(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text("a key\n")
    (tmp_path / "backend").mkdir()
    return {
        "PATH": f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAYERED_CLOUD_CACHE": str(tmp_path / "cache"),
        "PULUMI_HOME": str(home / ".pulumi"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def run(script: str, place: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=place,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def stacks(block: Block, place: Path, tmp_path: Path, env: dict[str, str]) -> None:
    """The engine, and the stacks that the block takes to be there."""
    cli = find_cli()
    if cli is None:
        pytest.skip("no engine is built here: make software")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").symlink_to(cli.path)
    if "pulumi stack init" in block.text:
        return
    for name in STACK.findall(block.text) or ["dev"]:
        done = run(f"pulumi stack init {name}", place, env)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("block", "mark"), BLOCKS, ids=[block.place for block, _ in BLOCKS])
def test_a_documented_block_runs(block: Block, mark: marks.Mark, tmp_path: Path) -> None:
    place, env = tmp_path / "checkout", surroundings(tmp_path)
    copy_to(place)
    if "pulumi " in block.text:
        stacks(block, place, tmp_path, env)
    for names in READ.findall(block.text):
        for name in names.split():
            (place / name).write_text(f"what {name} holds\n")
    done = run(block.text, place, env)
    assert done.returncode == mark.status, done.stdout + done.stderr


def test_blocks_of_every_sort_are_run() -> None:
    """So that no change of a page or of the parser empties the list above."""
    text = "\n".join(block.text for block, _ in BLOCKS)
    for each in (
        "python -m settings init",
        "settings check",
        "config set --secret",
        "lab.software",
    ):
        assert each in text
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize(("script", "status"), [("true", 0), ("false | true", 1), ("echo $NO", 1)])
def test_a_block_that_fails_anywhere_fails(script: str, status: int, tmp_path: Path) -> None:
    assert run(script, tmp_path, surroundings(tmp_path)).returncode == status

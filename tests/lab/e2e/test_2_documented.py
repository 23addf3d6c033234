"""Every block of the documentation that is marked `run: lab`, run as it stands beside the lab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ENV

from lab.paths import CHECKOUT
from lab.probes.world import World
from tests.documented import commands, judge, marks
from tests.documented.pages import Block

SECONDS = 300
"""What one block may take."""


def blocks() -> list[tuple[Block, str]]:
    """The blocks, each with the role of the machines that it runs on (none: where the lab runs)."""
    found, pages = [], judge.everything()
    for name in judge.names():
        for block in pages[name].blocks:
            mark = marks.parse(block.mark or "")
            if mark.kind == "lab":
                found.append((block, mark.what))
    return found


BLOCKS = blocks()
BESIDE = [block for block, role in BLOCKS if not role]
ON_MACHINES = [
    pytest.param(role, line, id=f"{block.place} {line}")
    for block, role in BLOCKS
    if role
    for line in commands.lines(block.text)
]


@pytest.mark.parametrize("block", BESIDE, ids=lambda block: block.place)
def test_a_documented_block_runs_beside_the_lab(block: Block, world: World) -> None:
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", block.text],
        cwd=CHECKOUT,
        env={**ENV, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize(("role", "line"), ON_MACHINES)
def test_a_documented_line_runs_on_every_machine_of_its_role(
    role: str, line: str, world: World
) -> None:
    names = world.role(role)
    assert names
    for name in names:
        # Raises, with the machine's words, where it fails.
        world.text(name, ["bash", "-c", line])


def test_blocks_of_both_sorts_are_run() -> None:
    """So that no change of a page or of the parser empties the lists above."""
    assert BESIDE
    assert {param.values[0] for param in ON_MACHINES} >= {"router", "balancer"}

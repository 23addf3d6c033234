"""From nothing to an answered request; killed half way; the same again."""

from __future__ import annotations

import json
import re
import subprocess

from harness import lab, variant

from lab import runner
from lab.probes.world import World


def test_a_lab_killed_half_way_leaves_nothing_after_make_down(cleaned: list[str]) -> None:
    assert cleaned == []


def test_make_up_ends_with_a_request_answered_through_the_whole_chain(
    world: World, first_up: subprocess.CompletedProcess[str]
) -> None:
    assert "a request through the whole chain" in first_up.stdout
    assert re.search(r"^all\s+\d+\.\d$", first_up.stdout, re.MULTILINE), first_up.stdout[-2000:]


def test_a_refresh_finds_everything_as_the_state_has_it(world: World) -> None:
    """What is written is what the providers read back, for every block of a VM too."""
    answer = variant("refresh")
    assert answer["ok"], answer["error"]
    assert answer["changed"] == 0, [step for step in answer["steps"] if step["diff"]]


def test_make_up_again_changes_nothing(world: World) -> None:
    done = lab("up")
    assert done.returncode == 0, done.stdout[-3000:]
    last = json.loads((runner.folder() / "last.json").read_text())
    assert last["changed"] == 0, (last, done.stdout[-3000:])
